// What becomes of launches that fail, and of children nobody releases.
#include <chrono>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "guest_fixture.hpp"
#include "isolation/launcher.hpp"

using namespace warren;
using namespace warren::isolation;
using namespace warren::isolation::test;

TEST_CASE("a failed step is told with its place in the configuration") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    const auto fds = open_fd_count();
    GuestSpec spec = guest_spec();
    const std::size_t index = spec.mounts.size();
    MountSpec wrong;
    wrong.fs_type = "no-such-type";
    wrong.target = "/x";
    spec.mounts.push_back(wrong);
    const std::string place = "mounts[" + std::to_string(index) + "]: mount ";
    CHECK(refusal(launch(spec, root)) == place + "no-such-type on /x: No such device");

    spec.mounts.back().fs_type = "tmpfs";
    spec.mounts.back().options = {{"no-such-option", "1"}};
    CHECK(refusal(launch(spec, root)) == place + "tmpfs on /x: Invalid argument");

    spec.mounts.back().optional = true;
    {
        const auto running = launch(spec, root);
        REQUIRE(running);
        REQUIRE(running.value().notes().size() == 1);
        CHECK(running.value().notes().front() == place + "tmpfs on /x: Invalid argument");
    }

    spec = guest_spec();
    spec.process.cwd = "/bin/inspect";
    CHECK(refusal(launch(spec, root)) == "cwd: change to /bin/inspect: Not a directory");
    CHECK(child_count() == 0);
    CHECK(open_fd_count() == fds);
}

TEST_CASE("a program that is missing and one that may not run are told apart") {
    if (!can_launch()) {
        return;
    }
    TestRoot root;
    root.make_file("bin/plain", "#!/bin/inspect\n", 0644);
    root.make_file("bin/odd", "no format that the kernel knows", 0755);
    root.make_file("bin/orphan", "#!/no/such/interpreter\n", 0755);
    const auto attempt = [&](const std::string& program) {
        GuestSpec spec = guest_spec();
        spec.process.argv = {program};
        const auto running = launch(spec, root);
        REQUIRE_FALSE(running);
        CHECK(running.error().place() == kExecPlace);
        CHECK(child_count() == 0);
        return running.error();
    };
    CHECK(attempt("missing").kind() == base::ErrorKind::NotFound);
    CHECK(attempt("missing").describe() == "exec: \"missing\": not found in PATH");
    CHECK(attempt("/bin/missing").kind() == base::ErrorKind::NotFound);
    CHECK(attempt("orphan").kind() == base::ErrorKind::NotFound);
    CHECK(attempt("plain").error_number() == EACCES);
    CHECK(attempt("plain").kind() == base::ErrorKind::Failed);
    CHECK(attempt("plain").describe() == "exec: \"plain\": Permission denied");
    CHECK(attempt("/bin").error_number() == EACCES);
    CHECK(attempt("odd").error_number() == ENOEXEC);
}

TEST_CASE("the program's own end is not a failure of the launch") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    auto running = launch(guest_spec({"exit", "7"}), root);
    REQUIRE(running);
    CHECK(running.value().wait() == base::ExitStatus{false, 7, false});
}

TEST_CASE("a child that is not released leaves nothing behind") {
    if (!can_launch()) {
        return;
    }
    const GuestSpec spec = guest_spec();
    const auto recipe = plan_guest(spec, {});
    REQUIRE(recipe);
    const auto fds = open_fd_count();
    {
        const auto pending = PendingGuest::clone(spec, recipe.value(), -1, {});
        REQUIRE(pending);
        CHECK(child_count() == 1);
    }
    CHECK(child_count() == 0);
    CHECK(open_fd_count() == fds);
}

TEST_CASE("a child whose parent dies before the release ends by itself") {
    if (!can_launch()) {
        return;
    }
    const GuestSpec spec = guest_spec();
    const auto recipe = plan_guest(spec, {});
    REQUIRE(recipe);
    int ends[2] = {-1, -1};
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const base::Fd alive(ends[0]);
    const pid_t parent = ::fork();
    REQUIRE(parent >= 0);
    if (parent == 0) {
        // The child keeps the pipe's end as long as it lives; we end without a word.
        const auto pending = PendingGuest::clone(spec, recipe.value(), -1, {});
        ::_exit(pending ? 0 : 1);
    }
    REQUIRE(::close(ends[1]) == 0);
    base::Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, parent, 0)));
    const auto status = base::reap(base::PidRef(parent, std::move(pidfd)));
    REQUIRE(status);
    CHECK(status.value() == base::ExitStatus{});
    char byte = 0;
    CHECK(::read(alive.get(), &byte, 1) == 0);  // all holders of the pipe are gone
}

TEST_CASE("a child that is killed before its program ran is named as that") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    LaunchOptions options;
    options.before_release = [](PendingGuest& pending) {
        REQUIRE(pending.process().signal(SIGKILL));
        REQUIRE(pending.process().wait_exit(std::chrono::seconds(30)));
    };
    CHECK(refusal(launch(guest_spec(), root, options)) ==
          "the process was killed by SIGKILL (out of memory, or killed from outside) before its "
          "program ran");

    options = {};
    options.filter.instructions = {{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS}};
    CHECK(refusal(launch(guest_spec(), root, options)) ==
          "the process was killed by SIGSYS (the system call filter) before its program ran");
    CHECK(child_count() == 0);
}

TEST_CASE("a raised limit that is refused is a note") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    GuestSpec spec = guest_spec({"hold"});
    // Above fs.nr_open nobody may go.
    spec.process.rlimits = {{RLIMIT_NOFILE, 1024, std::uint64_t{1} << 40}};
    auto running = launch(spec, root);
    REQUIRE(running);
    REQUIRE(running.value().notes().size() == 1);
    CHECK(running.value().notes().front().starts_with("rlimit nofile: stays at "));
    CHECK(running.value().report().at("rlimits").at(std::to_string(RLIMIT_NOFILE)).at(0) == 1024);
}

TEST_CASE("a release without its descriptors is refused") {
    if (!can_launch()) {
        return;
    }
    const GuestSpec spec = guest_spec();
    const auto recipe = plan_guest(spec, {});
    REQUIRE(recipe);
    for (const auto& slots : {std::vector<int>{0}, std::vector<int>{0, -1}}) {
        auto pending = PendingGuest::clone(spec, recipe.value(), -1, {});
        REQUIRE(pending);
        const auto launched = std::move(pending).value().release(slots);
        REQUIRE_FALSE(launched);
        CHECK(launched.error().kind() == base::ErrorKind::Usage);
        CHECK(child_count() == 0);
    }
}
