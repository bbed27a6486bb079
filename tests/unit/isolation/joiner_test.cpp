// Processes that enter a running guest.
#include <csignal>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "guest_fixture.hpp"
#include "isolation/launcher.hpp"
#include "isolation/seccomp.hpp"

using namespace warren;
using namespace warren::isolation;
using namespace warren::isolation::test;

namespace {

Running must(base::Result<Running> result) {
    if (!result) {
        FAIL(result.error().describe());
    }
    return std::move(result).value();
}

// The unified hierarchy of this host, wherever it is.
std::string unified_cgroups() {
    for (std::string path : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
        if (::access((path + "/cgroup.procs").c_str(), W_OK) == 0 &&
            ::access((path + "/cgroup.controllers").c_str(), F_OK) == 0) {
            return path;
        }
    }
    return "";
}

}  // namespace

TEST_CASE("a joined process stands in all of the guest's namespaces") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    const GuestSpec spec = guest_spec({"hold"});
    Running guest = must(launch(spec, root));
    const auto first = guest.report();
    const auto fds = open_fd_count();
    {
        Running joined = must(join(join_spec(spec), guest.process()));
        const auto report = joined.report();
        CHECK(report.at("namespaces") == first.at("namespaces"));
        CHECK(report.at("mounts") == first.at("mounts"));
        CHECK(report.at("hostname") == "guest1");
        CHECK(report.at("pid") > 1);
        CHECK(report.at("ppid") == 0);
        CHECK(report.at("sid") == report.at("pid"));
        CHECK(report.at("cwd") == "/");
        CHECK(report.at("ids").at("uid") == base::Json({0, 0, 0}));
        CHECK(report.at("fds").size() == 3);
        for (const auto* name :
             {"CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb", "SigBlk", "SigIgn"}) {
            INFO(name);
            CHECK(report.at("status").at(name) == first.at("status").at(name));
        }
        CHECK(joined.wait() == base::ExitStatus{});
    }
    CHECK(open_fd_count() == fds);
    CHECK(child_count() == 1);  // the guest; the joiner has been reaped
}

TEST_CASE("a joined process is who its configuration says") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    const GuestSpec spec = guest_spec({"hold"});
    Running guest = must(launch(spec, root));
    (void)guest.report();
    JoinSpec inside = join_spec(spec);
    inside.process.uid = 33;
    inside.process.gid = 34;
    inside.process.additional_gids = {7};
    inside.process.capabilities = CapSets{};
    inside.process.cwd = "/bin";
    inside.process.umask = 077;
    inside.process.no_new_privs = true;
    inside.process.rlimits = {{RLIMIT_NOFILE, 32, 33}};
    inside.process.oom_score_adj = 200;
    const auto program = compile_seccomp({SeccompProfile::Command, false, ""});
    REQUIRE(program);
    Running joined = must(join(inside, guest.process(), program.value()));
    const auto report = joined.report();
    CHECK(report.at("ids").at("uid") == base::Json({33, 33, 33}));
    CHECK(report.at("ids").at("gid") == base::Json({34, 34, 34}));
    CHECK(report.at("ids").at("groups") == base::Json::array({7}));
    CHECK(report.at("cwd") == "/bin");
    CHECK(report.at("umask") == 077);
    CHECK(report.at("status").at("NoNewPrivs") == "1");
    CHECK(report.at("status").at("Seccomp") == "2");
    CHECK(report.at("status").at("CapEff") == "0000000000000000");
    CHECK(report.at("rlimits").at(std::to_string(RLIMIT_NOFILE)) == base::Json({32, 33}));
    CHECK(report.at("oom_score_adj") == "200\n");
    CHECK(joined.wait() == base::ExitStatus{});
}

TEST_CASE("a joined process has a terminal of the guest's") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    const GuestSpec spec = guest_spec({"hold"});
    Running guest = must(launch(spec, root));
    (void)guest.report();
    JoinSpec inside = join_spec(spec, {"hold"});
    inside.process.stdio = Stdio::Terminal;
    inside.process.window = {25, 81};
    Running joined = must(join(inside, guest.process()));
    const auto report = joined.report();
    CHECK(report.at("terminal").at("is") == true);
    CHECK(report.at("terminal").at("controlling") == true);
    CHECK(report.at("terminal").at("rows") == 25);
    CHECK(report.at("terminal").at("columns") == 81);
    CHECK(report.at("terminal").at("name") == "/dev/pts/0");
    joined.signal(SIGTERM);
    CHECK(joined.wait() == base::ExitStatus{});
}

TEST_CASE("a forged /dev/pts is refused, whatever lies there") {
    if (!can_launch()) {
        return;
    }
    const auto attempt = [](const GuestSpec& spec, const TestRoot& root) {
        Running guest = must(launch(spec, root));
        (void)guest.report();
        JoinSpec inside = join_spec(spec);
        inside.process.stdio = Stdio::Terminal;
        const auto joined = join(inside, guest.process());
        REQUIRE_FALSE(joined);
        return joined.error().describe();
    };
    const std::string refused =
        "terminal: open a pty of the guest's /dev/pts: not a devpts file system";
    SUBCASE("a file over the instance's ptmx") {
        const TestRoot root;
        CHECK(attempt(guest_spec({"forge-ptmx"}), root) == refused);
    }
    SUBCASE("a directory with a pipe") {
        TestRoot root;
        root.make_dir("fake");
        root.make_fifo("fake/ptmx");
        GuestSpec spec = guest_spec({"hold"});
        for (auto& mount : spec.mounts) {
            if (mount.target == "/dev/pts") {
                mount = MountSpec{};
                mount.kind = MountSpec::Kind::Bind;
                mount.target = "/dev/pts";
                mount.slot = kFirstBindSlot;
            }
        }
        TestRoot forged;
        forged.make_fifo("ptmx");
        const auto bind = forged.mount();
        Running guest = must(launch(spec, root, {.binds = {bind.get()}}));
        (void)guest.report();
        JoinSpec inside = join_spec(spec);
        inside.process.stdio = Stdio::Terminal;
        const auto joined = join(inside, guest.process());
        REQUIRE_FALSE(joined);
        CHECK(joined.error().describe() == refused);
    }
    CHECK(child_count() == 0);
}

TEST_CASE("a descriptor of the host is no way out for a joined process") {
    if (!can_launch()) {
        return;
    }
    const base::Fd leak(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(::fcntl(leak.get(), F_SETFD, 0) == 0);
    const TestRoot root;
    const GuestSpec spec = guest_spec({"hold"});
    Running guest = must(launch(spec, root));
    (void)guest.report();
    for (int fd = 3; fd < 40; ++fd) {
        CAPTURE(fd);
        JoinSpec inside = join_spec(spec);
        inside.process.cwd = "/proc/self/fd/" + std::to_string(fd);
        const auto joined = join(inside, guest.process());
        REQUIRE_FALSE(joined);
        CHECK(joined.error().describe().starts_with("cwd: change to "));
    }
}

TEST_CASE("a missing program in a running guest is told as such") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    const GuestSpec spec = guest_spec({"hold"});
    Running guest = must(launch(spec, root));
    (void)guest.report();
    JoinSpec inside = join_spec(spec);
    inside.process.argv = {"no-such"};
    const auto joined = join(inside, guest.process());
    REQUIRE_FALSE(joined);
    CHECK(joined.error().kind() == base::ErrorKind::NotFound);
    CHECK(joined.error().place() == kExecPlace);
    CHECK(child_count() == 1);
}

TEST_CASE("a guest whose first process has ended cannot be joined") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    const GuestSpec spec = guest_spec({"exit", "0"});
    Running guest = must(launch(spec, root));
    REQUIRE(guest.process().wait_exit(std::chrono::seconds(30)));
    const auto joined = join(join_spec(spec), guest.process());
    REQUIRE_FALSE(joined);
    CHECK(joined.error().kind() == base::ErrorKind::Busy);
    CHECK(joined.error().describe() == "enter the guest: its first process has ended");
    CHECK(child_count() == 1);
}

TEST_CASE("guest and joined process are born in the guest's cgroup, which is their root") {
    const std::string parent = unified_cgroups();
    if (!can_launch() || parent.empty()) {
        MESSAGE("skipped: needs a cgroup v2 tree");
        return;
    }
    const std::string path = parent + "/warren-test-" + std::to_string(::getpid());
    REQUIRE(::mkdir(path.c_str(), 0755) == 0);
    {
        const auto cgroup = base::open_dir(AT_FDCWD, path);
        REQUIRE(cgroup);
        const TestRoot root;
        const GuestSpec spec = guest_spec({"hold"});
        LaunchOptions options;
        options.cgroup_fd = cgroup.value().get();
        Running guest = must(launch(spec, root, options));
        CHECK(guest.report().at("cgroup").get<std::string>().ends_with("0::/\n"));
        Running joined = must(join(join_spec(spec), guest.process(), {}, cgroup.value().get()));
        CHECK(joined.report().at("cgroup").get<std::string>().ends_with("0::/\n"));
        CHECK(joined.wait() == base::ExitStatus{});
        const auto members = base::read_file_at(cgroup.value().get(), "cgroup.procs");
        REQUIRE(members);
        CHECK(members.value() == std::to_string(guest.process().pid()) + '\n');
    }
    CHECK(::rmdir(path.c_str()) == 0);
}
