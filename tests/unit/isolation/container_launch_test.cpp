// Real containers: created, then started, and what their processes see.
#include <algorithm>
#include <csignal>

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "container_fixture.hpp"
#include "isolation/mounts.hpp"

using namespace warren;
using namespace warren::isolation;
using namespace warren::isolation::test;

namespace {

std::string text_of(const ContainerSpec& spec, const TestRoot& root) {
    return inspect_container(spec, root).at("text").get<std::string>();
}

}  // namespace

TEST_CASE("a created container waits, and runs its program when it is started") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    const ContainerSpec spec = container_spec(root, {"print"});
    TestContainer container = created(spec, root);
    CHECK(container.process().notes().empty());

    // Somebody who connects and goes away again has started nothing.
    REQUIRE(container.connect());
    const auto started = container.start();
    if (!started) {
        FAIL(started.error().describe());
    }
    CHECK(started.value().notes.empty());
    const auto report = container.process().report();
    CHECK(container.process().wait() == base::ExitStatus{});
    CHECK(report.at("pid") == 1);
    CHECK(report.at("sid") == 1);
    CHECK(report.at("hostname") == "box");
    CHECK(report.at("fds").size() == 3);
    CHECK(report.at("status").at("SigBlk") == "0000000000000000");
    CHECK(report.at("status").at("SigIgn") == "0000000000000000");
    CHECK(report.at("cgroup").get<std::string>().find("0::/\n") != std::string::npos);
    for (const auto& entry : report.at("namespaces").items()) {
        INFO(entry.key());
        const bool shared = entry.key() == "user" || entry.value().get<std::string>().empty();
        CHECK((entry.value() == own_namespace(entry.key().c_str())) == shared);
    }
    const auto proc = mount_at(report, "/proc");
    REQUIRE(proc);
    CHECK(proc->at("type") == "proc");
    CHECK_FALSE(proc->at("propagates"));
}

TEST_CASE("a container is started once") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    TestContainer container = created(container_spec(root, {"hold"}), root);
    REQUIRE(container.start());
    (void)container.process().report();
    const auto again = container.connect();
    REQUIRE_FALSE(again);
    CHECK(again.error().error_number() == ECONNREFUSED);
    container.process().signal(SIGTERM);
    CHECK(container.process().wait() == base::ExitStatus{});
}

TEST_CASE("nodes and links are made, and the program's own descriptors only are open") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    ContainerSpec spec = container_spec(root, {"cat", "/dev/zero"});
    CHECK(text_of(spec, root).size() == 4096);
    spec.process.argv = {"inspect", "write", "/dev/fd/1", ""};
    CHECK(inspect_container(spec, root).at("errno") == 0);
    spec.process.argv = {"inspect", "cat", "/dev/null"};
    CHECK(text_of(spec, root).empty());
    // All of it in the container's own tmpfs.
    CHECK_FALSE(root.has("dev/null"));
}

TEST_CASE("clocks are offset in a time namespace of its own") {
    if (!can_launch() || ::access("/proc/self/ns/time", F_OK) != 0) {
        return;
    }
    const TestRoot root(0);
    ContainerSpec spec = container_spec(root, {"cat", "/proc/self/timens_offsets"});
    spec.time_offsets = {{false, 1000, 7}, {true, 86400, 0}};
    std::string text = text_of(spec, root);
    text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
    CHECK(text == "monotonic10007\nboottime864000\n");

    const TestRoot mapped_root;
    ContainerSpec mapped = mapped_spec(mapped_root, {"cat", "/proc/self/timens_offsets"});
    mapped.time_offsets = spec.time_offsets;
    CHECK(text_of(mapped, mapped_root).find("86400") != std::string::npos);
}

TEST_CASE("sysctls, domainname and personality are the container's") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    ContainerSpec spec = container_spec(root, {"cat", "/proc/sys/kernel/msgmax"});
    spec.domainname = "example.org";
    spec.sysctls = {{"kernel.msgmax", "65530"}, {"net.ipv4.ip_forward", "1"}};
    spec.process.personality = 8;  // PER_LINUX32
    CHECK(text_of(spec, root) == "65530\n");
    spec.process.argv.back() = "/proc/sys/kernel/domainname";
    CHECK(text_of(spec, root) == "example.org\n");
    spec.process.argv.back() = "/proc/sys/net/ipv4/ip_forward";
    CHECK(text_of(spec, root) == "1\n");
    spec.process.argv.back() = "/proc/self/personality";
    CHECK(text_of(spec, root) == "00000008\n");
    spec.sysctls = {{"net.ipv4.nothing", "1"}};
    CHECK(create_error(spec, root) == "sysctl net.ipv4.nothing: set: No such file or directory");
}

TEST_CASE("a root that is entered without a pivot") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    ContainerSpec spec = container_spec(root);
    spec.root.no_pivot = true;
    const auto report = inspect_container(spec, root);
    CHECK(mount_at(report, "/proc"));
    CHECK(mount_at(report, "/sys"));
    const auto& names = report.at("root");
    CHECK(std::find(names.begin(), names.end(), "bin") != names.end());
    CHECK(std::find(names.begin(), names.end(), "tmp") == names.end());
}

TEST_CASE("without a mount namespace the root hangs where it is and is entered by chroot") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    ContainerSpec spec = container_spec(root);
    spec.namespaces.fresh.remove(Namespace::Mount);
    const auto report = inspect_container(spec, root);
    CHECK(report.at("namespaces").at("mnt") == own_namespace("mnt"));
    CHECK(mount_at(report, "/proc"));
    // It is the caller's to take away.
    CHECK(::syscall(SYS_umount2, root.path().c_str(), 2) == 0);
    CHECK(::syscall(SYS_umount2, root.path().c_str(), 2) != 0);
}

TEST_CASE("the root can be read-only, and propagate") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    ContainerSpec spec = container_spec(root);
    spec.root.readonly = true;
    spec.root.propagation = Propagation{Propagation::Kind::Shared, false};
    const auto report = inspect_container(spec, root);
    const auto top = mount_at(report, "/");
    REQUIRE(top);
    CHECK(top->at("options").get<std::string>().starts_with("ro"));
    CHECK(top->at("propagates"));
    CHECK_FALSE(mount_at(report, "/proc")->at("propagates"));
}

TEST_CASE("paths are masked and made read-only") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    ContainerSpec spec = container_spec(root, {"cat", "/proc/version"});
    spec.masked_paths = {"/proc/version", "/proc/no-such-file", "/sys/kernel"};
    spec.readonly_paths = {"/proc/sys"};
    CHECK(text_of(spec, root).empty());
    spec.process.argv = {"inspect", "write", "/proc/sys/net/ipv4/ip_forward", "1"};
    CHECK(inspect_container(spec, root).at("errno") == EROFS);
}

TEST_CASE("mounts take attributes, and a tmpfs starts with what it covers") {
    if (!can_launch()) {
        return;
    }
    TestRoot root(0);
    root.make_dir("data");
    root.make_file("data/first", "one", 0640);
    root.make_link("first", "data/second");
    root.make_dir("data/below");
    root.make_file("data/below/third", "three");
    REQUIRE(::chmod((root.path() + "/data").c_str(), 01777) == 0);
    ContainerSpec spec = container_spec(root, {"cat", "/data/below/third"});
    auto data = file_system("tmpfs", "/data");
    data.copy_up = true;
    data.attributes.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC;
    data.propagation = {{Propagation::Kind::Shared, false}};
    spec.mounts.push_back(data);
    CHECK(text_of(spec, root) == "three");
    spec.process.argv.back() = "/data/second";
    CHECK(text_of(spec, root) == "one");
    spec.process.argv = {"inspect", "write", "/data/new", "x"};
    CHECK(inspect_container(spec, root).at("errno") == EROFS);
    spec.process.argv = {"inspect"};
    const auto mount = mount_at(inspect_container(spec, root), "/data");
    REQUIRE(mount);
    CHECK(mount->at("options") == "ro,noexec,relatime");
    CHECK(mount->at("propagates"));
}

TEST_CASE("a tmpfs without a mode takes that of the directory it covers") {
    if (!can_launch()) {
        return;
    }
    TestRoot root(0);
    root.make_dir("private");
    REQUIRE(::chmod((root.path() + "/private").c_str(), 0700) == 0);
    ContainerSpec spec = container_spec(root, {"write", "/private/x", "1"});
    spec.mounts.push_back(file_system("tmpfs", "/private"));
    spec.process.uid = 77;
    spec.process.capabilities = {};
    CHECK(inspect_container(spec, root).at("errno") == EACCES);
    spec.mounts.back().target = "/open";
    spec.process.argv = {"inspect", "write", "/open/x", "1"};
    CHECK(inspect_container(spec, root).at("errno") == 0);
}

TEST_CASE("binds from slots and from paths of the host") {
    if (!can_launch()) {
        return;
    }
    TestRoot shared(0);
    shared.make_file("note", "hello");
    const TestRoot root(0);
    ContainerSpec spec = container_spec(root, {"cat", "/in/slot/note"});
    ContainerMount slot;
    slot.source = MountSource::Slot;
    slot.target = "/in/slot";
    slot.slot = kFirstFreeSlot;
    slot.attributes = {MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME, 0};
    ContainerMount path;
    path.source = MountSource::HostPath;
    path.target = "/in/file";
    path.host_path = shared.path() + "/note";
    path.is_directory = false;
    path.below.set = MOUNT_ATTR_NOSUID;
    ContainerMount missing = path;
    missing.host_path += "-not-there";
    missing.target = "/in/missing";
    missing.optional = true;
    spec.mounts.insert(spec.mounts.end(), {slot, path, missing});
    const auto run = [&] {
        const auto mount = shared.mount();
        CreateOptions options;
        options.slots = {mount.get()};
        return inspect_container(spec, root, options);
    };
    CHECK(run().at("text") == "hello");
    spec.process.argv.back() = "/in/file";
    CHECK(run().at("text") == "hello");
    spec.process.argv = {"inspect"};
    const auto report = run();
    CHECK(mount_at(report, "/in/slot")->at("options") == "ro,noatime");
    CHECK(mount_at(report, "/in/file")->at("options").get<std::string>().find("nosuid") !=
          std::string::npos);
    CHECK_FALSE(mount_at(report, "/in/missing"));
}

TEST_CASE("options too long for fsconfig are mounted all the same") {
    if (!can_launch()) {
        return;
    }
    TestRoot lower(0);
    const TestRoot root(0);
    ContainerSpec spec = container_spec(root, {"cat", "/merged/note"});
    auto overlay = file_system("overlay", "/merged");
    std::string dirs;
    for (char name = 'a'; dirs.size() <= 300; ++name) {
        lower.make_dir({name});
        dirs += (dirs.empty() ? "" : ":") + lower.path() + '/' + name;
    }
    lower.make_file("b/note", "from below");
    overlay.options.emplace_back("lowerdir", dirs);
    overlay.attributes.set = MOUNT_ATTR_NOSUID;
    spec.mounts.push_back(overlay);
    CHECK(text_of(spec, root) == "from below");
}

TEST_CASE("descriptors are preserved and announced") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    // 3 and 4 as the caller got them from whoever started it.
    const base::Fd saved_3(::fcntl(3, F_DUPFD_CLOEXEC, 100));
    const base::Fd saved_4(::fcntl(4, F_DUPFD_CLOEXEC, 100));
    const base::Fd zero(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
    REQUIRE(::dup3(zero.get(), 3, zero.get() == 3 ? 0 : O_CLOEXEC) >= -1);
    REQUIRE(::dup3(zero.get(), 4, O_CLOEXEC) >= -1);
    ContainerSpec spec = container_spec(root);
    spec.process.preserve_fds = 2;
    spec.process.listen_fds = 1;
    spec.process.env.emplace_back("LISTEN_PID=999");
    const auto report = inspect_container(spec, root);
    CHECK(report.at("fds").size() == 5);
    CHECK(report.at("fds").contains("3"));
    CHECK(report.at("fds").contains("4"));
    CHECK(report.at("env") ==
          base::Json({"PATH=/nowhere:/bin", "COLOR=green", "LISTEN_FDS=1", "LISTEN_PID=1"}));
    (void)::dup3(saved_3.get(), 3, O_CLOEXEC);
    (void)::dup3(saved_4.get(), 4, O_CLOEXEC);
    spec.process.preserve_fds = 4000;
    CHECK(create_error(spec, root).starts_with("preserve descriptors: "));
}

TEST_CASE("scheduler, I/O priority, CPUs and limits are set from outside") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    ContainerSpec spec = container_spec(root);
    spec.process.scheduler = SchedulerSpec{.policy = 3, .nice = 5};  // SCHED_BATCH
    spec.process.io_priority = 2 << 13 | 6;
    spec.process.initial_cpus = {0};
    spec.process.final_cpus = {0};
    spec.process.rlimits = {{RLIMIT_NOFILE, 500, 600, false}};
    spec.process.oom_score_adj = 77;
    std::vector<int> seen;
    CreateOptions options;
    options.before_release = [&](PendingContainer& pending) {
        const pid_t pid = pending.process().pid();
        seen = {::sched_getscheduler(pid),
                ::getpriority(PRIO_PROCESS, static_cast<id_t>(pid)),
                static_cast<int>(::syscall(SYS_ioprio_get, 1, pid))};
    };
    const auto report = inspect_container(spec, root, options);
    CHECK(seen == std::vector<int>{3, 5, 2 << 13 | 6});
    CHECK(report.at("status").at("Cpus_allowed_list") == "0");
    CHECK(report.at("rlimits").at(std::to_string(RLIMIT_NOFILE)) == base::Json({500, 600}));
    CHECK(report.at("oom_score_adj") == "77\n");
    spec.process.rlimits = {{RLIMIT_NOFILE, 500, std::uint64_t{1} << 40, false}};
    CHECK(create_error(spec, root).starts_with("rlimit nofile: raise from "));
    spec.process.rlimits.clear();
    spec.process.final_cpus = {8191};
    CHECK(create_error(spec, root) == "CPU affinity: set the final CPUs: Invalid argument");
}

TEST_CASE("a terminal of the container's own") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    ContainerSpec spec = container_spec(root);
    spec.process.stdio = Stdio::Terminal;
    spec.process.console_device = true;
    spec.process.window = {40, 132};
    TestContainer container = created(spec, root);
    CHECK(container.process().terminal() >= 0);
    REQUIRE(container.start());
    const auto report = container.process().report();
    CHECK(report.at("terminal").at("is"));
    CHECK(report.at("terminal").at("controlling"));
    CHECK(report.at("terminal").at("rows") == 40);
    CHECK(mount_at(report, "/dev/console"));
    CHECK(container.process().wait() == base::ExitStatus{});
}
