// Hooks, filters, failures of a start, and processes that join.
#include <csignal>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
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

std::string content(const TestRoot& root, const std::string& path) {
    const auto text = base::read_file_at(AT_FDCWD, root.path() + '/' + path);
    return text ? text.value() : "none";
}

// Answers `action` to one system call and allows all others.
SeccompProgram filter_of(std::uint32_t number, std::uint32_t action) {
    SeccompProgram filter;
    filter.instructions = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    return filter;
}

base::Result<Running> join(const ContainerJoin& spec,
                           const base::PidRef& target,
                           const std::vector<int>& slots = {}) {
    const auto recipe = TRY(plan_container_join(spec, {}));
    int ends[2] = {-1, -1};
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    base::Fd read_end(ends[0]);
    const base::Fd write_end(ends[1]);
    auto launched = TRY(join_container(
        spec, recipe, target, -1, {-1, write_end.get(), write_end.get()}, slots, {}));
    return Running(std::move(launched), std::move(read_end));
}

TestContainer started(const ContainerSpec& spec, const TestRoot& root) {
    auto container = TestContainer::create(spec, root);
    REQUIRE(container);
    const auto start = container.value().start();
    REQUIRE(start);
    return std::move(container).value();
}

}  // namespace

TEST_CASE("createContainer hooks see the mounts from outside, startContainer hooks from inside") {
    if (!can_launch()) {
        return;
    }
    TestRoot root(0);
    root.make_dir("data");
    root.make_dir("kept");
    ContainerSpec spec = container_spec(root, {"cat", "/data/state"});
    spec.mounts.push_back(file_system("tmpfs", "/data"));
    spec.create_container_hooks = {
        hook("hooks.createContainer[0]", {WARREN_PAYLOAD, "save", root.path() + "/data/state"}),
        hook("hooks.createContainer[1]", {WARREN_PAYLOAD, "save", root.path() + "/kept/create"})};
    spec.start_container_hooks = {
        hook("hooks.startContainer[0]", {"/bin/inspect", "save", "/kept/start"})};
    SUBCASE("with a pivot") {}
    SUBCASE("without one") {
        spec.root.no_pivot = true;
    }
    CHECK(inspect_container(spec, root).at("text") == R"({"status":"creating"})");
    // The tmpfs was the container's; what is behind it was not touched.
    CHECK_FALSE(root.has("data/state"));
    CHECK(content(root, "kept/create") == R"({"status":"creating"})");
    CHECK(content(root, "kept/start") == R"({"status":"created"})");
}

TEST_CASE("a hook that fails is named") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    ContainerSpec spec = container_spec(root);
    const auto set = [](std::vector<ContainerHook>& hooks, const char* site, auto argv) {
        hooks = {hook(site, argv)};
    };
    using Words = std::vector<std::string>;
    const std::size_t children = child_count();
    SUBCASE("when it is created") {
        auto& hooks = spec.create_container_hooks;
        const std::string site = std::string("hooks.createContainer[0]: run ") + WARREN_PAYLOAD;
        set(hooks, "hooks.createContainer[0]", Words{WARREN_PAYLOAD, "exit", "3"});
        CHECK(create_error(spec, root) == site + ": exited with status 3");
        set(hooks, "hooks.createContainer[0]", Words{WARREN_PAYLOAD, "kill", "6"});
        CHECK(create_error(spec, root) == site + ": was killed by signal 6");
        set(hooks, "hooks.createContainer[0]", Words{WARREN_PAYLOAD, "sleep"});
        hooks.front().timeout_seconds = 1;
        CHECK(create_error(spec, root) == site + ": took longer than its timeout");
        set(hooks, "hooks.createContainer[0]", Words{"/no/such/hook"});
        CHECK(create_error(spec, root) ==
              "hooks.createContainer[0]: run /no/such/hook: No such file or directory");
    }
    SUBCASE("when it is started") {
        auto& hooks = spec.start_container_hooks;
        set(hooks, "hooks.startContainer[0]", Words{"/bin/inspect", "exit", "255"});
        CHECK(start_error(spec, root) ==
              "hooks.startContainer[0]: run /bin/inspect: exited with status 255");
        set(hooks, "hooks.startContainer[0]", Words{"/bin", "x"});
        CHECK(start_error(spec, root) == "hooks.startContainer[0]: run /bin: Permission denied");
    }
    CHECK(child_count() == children);
}

TEST_CASE("a program that cannot be run fails the start in words engines know") {
    if (!can_launch()) {
        return;
    }
    TestRoot root(0);
    root.make_file("bin/plain", "text");
    ContainerSpec spec = container_spec(root);
    spec.process.argv = {"no-such-program"};
    CHECK(start_error(spec, root) == "exec: \"no-such-program\": not found in PATH");
    spec.process.argv = {"/bin/none"};
    CHECK(start_error(spec, root) == "exec: \"/bin/none\": No such file or directory");
    spec.process.argv = {"/bin/plain"};
    CHECK(start_error(spec, root) == "exec: \"/bin/plain\": Permission denied");
    spec = container_spec(root);
    spec.process.cwd = "/bin/inspect";
    CHECK(start_error(spec, root) == "cwd: change to /bin/inspect: Not a directory");
}

TEST_CASE("a container whose program cannot be run ends as a shell would") {
    if (!can_launch()) {
        return;
    }
    TestRoot root(0);
    root.make_file("bin/plain", "text");
    ContainerSpec spec = container_spec(root);
    const auto end = [&] {
        auto container = TestContainer::create(spec, root);
        REQUIRE(container);
        CHECK_FALSE(container.value().start());
        return container.value().process().wait();
    };
    spec.process.argv = {"/bin/none"};
    CHECK(end() == base::ExitStatus{false, 127, false});
    spec.process.argv = {"/bin/plain"};
    CHECK(end() == base::ExitStatus{false, 126, false});
    spec.process.argv.clear();
    CHECK(end() == base::ExitStatus{false, 127, false});
}

TEST_CASE("the program is looked up when the container is started") {
    if (!can_launch()) {
        return;
    }
    TestRoot root(0);
    ContainerSpec spec = container_spec(root);
    spec.process.argv = {"/late"};
    auto container = TestContainer::create(spec, root);
    REQUIRE(container);
    root.make_link("bin/inspect", "late");
    REQUIRE(container.value().start());
    CHECK(container.value().process().report().at("argv") == base::Json({"/late"}));
}

TEST_CASE("a created container ends by a signal, and without a process it only waits") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    ContainerSpec spec = container_spec(root);
    spec.namespaces.fresh.remove(Namespace::Pid);
    spec.process.argv.clear();
    auto container = TestContainer::create(spec, root);
    REQUIRE(container);
    // Not the first process of a pid namespace, so any signal will do.
    container.value().process().signal(SIGTERM);
    const auto status = container.value().process().wait();
    CHECK(status == base::ExitStatus{true, SIGTERM, false});
}

TEST_CASE("a cwd that only the container's root, or only the process, may enter") {
    if (!can_launch()) {
        return;
    }
    TestRoot root(0);
    root.make_dir("locked");
    REQUIRE(::chmod((root.path() + "/locked").c_str(), 0700) == 0);
    ContainerSpec spec = container_spec(root);
    spec.process.cwd = "/locked";
    spec.process.uid = 77;
    spec.process.capabilities = {};
    CHECK(inspect_container(spec, root).at("cwd") == "/locked");

    TestRoot mapped_root;
    mapped_root.make_dir("theirs");
    const std::string dir = mapped_root.path() + "/theirs";
    REQUIRE(::chown(dir.c_str(), kIdBase + 77, kIdBase + 77) == 0);
    REQUIRE(::chmod(dir.c_str(), 0700) == 0);
    ContainerSpec mapped = mapped_spec(mapped_root);
    mapped.process.cwd = "/theirs";
    mapped.process.uid = 77;
    mapped.process.gid = 77;
    mapped.process.capabilities = {};
    CHECK(inspect_container(mapped, mapped_root).at("cwd") == "/theirs");
}

TEST_CASE("a filter's listener comes home, whatever the filter holds up") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    ContainerSpec spec = container_spec(root);
    // The call that every start makes to report: it must not be the filtered thread that makes it.
    CreateOptions options;
    options.filter = filter_of(SYS_getppid, SECCOMP_RET_USER_NOTIF);
    options.filter.instructions.insert(options.filter.instructions.begin() + 1,
                                       {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_nanosleep, 0, 1),
                                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)});
    options.filter.listener = true;
    options.filter.filter_flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
    SUBCASE("loaded before the capabilities go") {}
    SUBCASE("loaded last") {
        spec.process.no_new_privs = true;
    }
    auto container = TestContainer::create(spec, root, options);
    REQUIRE(container);
    base::Fd listener;
    const auto start = container.value().start([&](base::Fd fd) {
        listener = std::move(fd);
        return base::Status(base::ok());
    });
    REQUIRE(start);
    REQUIRE(listener);
    seccomp_notif call{};
    REQUIRE(::ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_RECV, &call) == 0);
    CHECK(call.data.nr == SYS_getppid);
    seccomp_notif_resp answer{};
    answer.id = call.id;
    answer.val = 4242;
    REQUIRE(::ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0);
    const auto report = container.value().process().report();
    CHECK(report.at("ppid") == 4242);
    CHECK(report.at("status").at("Threads") == "1");
    CHECK(report.at("fds").size() == 3);
    CHECK(container.value().process().wait() == base::ExitStatus{});
}

TEST_CASE("a listener that nobody takes fails the start") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    CreateOptions options;
    options.filter = filter_of(SYS_getppid, SECCOMP_RET_USER_NOTIF);
    options.filter.listener = true;
    options.filter.filter_flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
    CHECK(start_error(container_spec(root), root, options) == "seccomp: nobody takes the listener");
}

TEST_CASE("capabilities that cannot be had are left out") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    ContainerSpec spec = container_spec(root);
    std::vector<std::string> notes;
    CapSets wanted;
    wanted.bounding = wanted.effective = std::uint64_t{1} << 62 | 2;
    wanted.permitted = 2;
    wanted.ambient = 4;
    spec.process.capabilities = grantable_capabilities(wanted, 0xff, notes);
    CHECK(notes.size() == 2);
    const auto report = inspect_container(spec, root);
    CHECK(report.at("status").at("CapEff") == "0000000000000002");
    CHECK(report.at("status").at("CapBnd") == "0000000000000002");
    CHECK(report.at("status").at("CapAmb") == "0000000000000000");
}

TEST_CASE("a process joins a container") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    TestContainer container = started(container_spec(root, {"hold"}), root);
    const auto theirs = container.process().report();
    ContainerJoin spec;
    spec.namespaces = container_spec(root).namespaces.fresh;
    spec.process = container_spec(root).process;
    auto joined = join(spec, container.process().process());
    if (!joined) {
        FAIL(joined.error().describe());
    }
    const auto report = joined.value().report();
    CHECK(report.at("namespaces") == theirs.at("namespaces"));
    CHECK(report.at("hostname") == "box");
    CHECK(report.at("fds").size() == 3);
    CHECK(joined.value().wait() == base::ExitStatus{});

    spec.process.argv = {"none"};
    const auto failed = join(spec, container.process().process());
    REQUIRE_FALSE(failed);
    CHECK(failed.error().describe() == "exec: \"none\": not found in PATH");
    CHECK(failed.error().kind() == base::ErrorKind::NotFound);
}

TEST_CASE("a process joins a container in a user namespace") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    TestContainer container = started(mapped_spec(root, {"hold"}), root);
    const auto theirs = container.process().report();
    ContainerJoin spec;
    spec.namespaces = mapped_spec(root).namespaces.fresh;
    spec.process = mapped_spec(root).process;
    spec.process.final_cpus = {0};
    auto joined = join(spec, container.process().process());
    REQUIRE(joined);
    const auto report = joined.value().report();
    CHECK(report.at("namespaces") == theirs.at("namespaces"));
    CHECK(report.at("ids").at("uid") == base::Json({0, 0, 0}));
    CHECK(report.at("status").at("Cpus_allowed_list") == "0");
}

TEST_CASE("a process joins a container that has no mount namespace by its root") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    ContainerSpec spec = container_spec(root, {"hold"});
    spec.namespaces.fresh.remove(Namespace::Mount);
    {
        TestContainer container = started(spec, root);
        (void)container.process().report();
        const auto pid = container.process().process().pid();
        const auto dir =
            base::open_at(AT_FDCWD, "/proc/" + std::to_string(pid) + "/root", O_PATH | O_DIRECTORY);
        REQUIRE(dir);
        ContainerJoin join_spec;
        join_spec.namespaces = spec.namespaces.fresh;
        join_spec.root_slot = 0;
        join_spec.process = spec.process;
        join_spec.process.argv = {"inspect"};
        auto joined = join(join_spec, container.process().process(), {dir.value().get()});
        REQUIRE(joined);
        CHECK(mount_at(joined.value().report(), "/proc"));
    }
    CHECK(::syscall(SYS_umount2, root.path().c_str(), 2) == 0);
}

TEST_CASE("nothing is left of containers that failed or were dropped") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    const std::size_t fds = open_fd_count();
    const std::size_t children = child_count();
    for (int i = 0; i < 10; ++i) {
        ContainerSpec spec = container_spec(root);
        { const auto dropped = TestContainer::create(spec, root); }
        spec.mounts.push_back(file_system("no-such-type", "/x"));
        CHECK(create_error(spec, root) == "mounts[4]: mount no-such-type on /x: No such device");
    }
    CHECK(open_fd_count() == fds);
    CHECK(child_count() == children);
}
