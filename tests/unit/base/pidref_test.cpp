#include "base/pidref.hpp"

#include <csignal>
#include <future>
#include <thread>

#include <linux/sched.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "support.hpp"

using namespace warren::base;
using namespace warren::base::test;
using std::chrono::milliseconds;

namespace {

pid_t spawn_sleeper() {
    return spawn([] {
        for (;;) {
            ::pause();
        }
        return 0;
    });
}

PidRef open_live(pid_t pid) {
    auto ref = PidRef::open(identify(pid).value());
    REQUIRE(ref.has_value());
    REQUIRE(ref.value().has_value());
    return std::move(*ref.value());
}

// A sleeper that is the first process of a PID namespace; -1 and errno where such may not be made.
pid_t spawn_first_process() {
    struct clone_args args = {};
    args.flags = CLONE_NEWPID;
    args.exit_signal = SIGCHLD;
    const auto pid = static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof(args)));
    if (pid == 0) {
        for (;;) {
            (void)::syscall(SYS_ppoll, nullptr, 0, nullptr, nullptr, 0);
        }
    }
    return pid;
}

// A sleeper among the processes of `first`, and a child of ours.
pid_t spawn_beside(const PidRef& first) {
    const int own = ::open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
    REQUIRE(own >= 0);
    REQUIRE(::setns(first.pidfd(), CLONE_NEWPID) == 0);
    const pid_t pid = spawn_sleeper();
    REQUIRE(::setns(own, CLONE_NEWPID) == 0);
    ::close(own);
    return pid;
}

// A process with just this pid (CLONE_SET_TID needs CAP_CHECKPOINT_RESTORE); -1 and errno where not.
pid_t spawn_as(pid_t wanted) {
    struct clone_args args = {};
    args.exit_signal = SIGCHLD;
    args.set_tid = reinterpret_cast<std::uintptr_t>(&wanted);
    args.set_tid_size = 1;
    const auto pid = static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof(args)));
    if (pid == 0) {
        for (;;) {
            (void)::syscall(SYS_ppoll, nullptr, 0, nullptr, nullptr, 0);
        }
    }
    return pid;
}

}  // namespace

TEST_CASE("a live process is identified the same every time") {
    const auto self = identify(::getpid()).value();
    CHECK(self.pid == ::getpid());
    CHECK(self.start_time > 0);
    CHECK(identify(::getpid()).value() == self);
    char name[16] = {};
    REQUIRE(::prctl(PR_GET_NAME, &name[0]) == 0);
    REQUIRE(::prctl(PR_SET_NAME, "a) Z 1 (2\n) R") == 0);
    CHECK(identify(::getpid()).value() == self);
    REQUIRE(::prctl(PR_SET_NAME, &name[0]) == 0);
}

TEST_CASE("boot_id is one line of a fixed form") {
    const auto id = boot_id().value();
    CHECK(id.size() == 36);
    CHECK(id.find_first_not_of("0123456789abcdef-") == std::string::npos);
    CHECK(boot_id().value() == id);
}

TEST_CASE("a process is followed from signal to exit status") {
    const pid_t pid = spawn_sleeper();
    const PidRef ref = open_live(pid);
    CHECK(ref.pid() == pid);
    CHECK(is_cloexec(ref.pidfd()));
    CHECK(!ref.wait_exit(milliseconds(0)).value());
    CHECK(!ref.wait_exit(milliseconds(20)).value());
    CHECK(ref.signal(0).has_value());
    const auto identity = identify(ref).value();
    CHECK(identity == identify(pid).value());
    CHECK(PidRef::open(identity).value().has_value());
    CHECK(ref.signal(SIGKILL).has_value());
    CHECK(ref.wait_exit(milliseconds(-1)).value());
    CHECK(ref.wait_exit(milliseconds(0)).value());

    CHECK(identify(pid).error().kind() == ErrorKind::NotFound);  // a zombie
    CHECK(!PidRef::open({pid, 1}).value().has_value());
    CHECK(!PidRef::open(identity).value().has_value());
    const auto status = reap(ref).value();
    CHECK(status == ExitStatus{true, SIGKILL, false});
    CHECK(status.shell_code() == 137);

    CHECK(ref.signal(SIGTERM).has_value());  // already gone
    CHECK(ref.wait_exit(milliseconds(0)).value());
    CHECK(identify(pid).error().kind() == ErrorKind::NotFound);
    CHECK(reap(ref).error().error_number() == ECHILD);
}

TEST_CASE("the first process of a PID namespace is ending before it has exited") {
    const pid_t pid = spawn_first_process();
    if (pid < 0) {
        MESSAGE("skipped: may not make a PID namespace: " << errno);
        return;
    }
    const PidRef first = open_live(pid);
    const PidRef other = open_live(spawn_beside(first));
    CHECK(!first.is_ending());
    CHECK(!other.is_ending());
    REQUIRE(first.signal(SIGKILL).has_value());
    // It dies with the first, which does not exit before this has been reaped.
    REQUIRE(other.wait_exit(milliseconds(-1)).value());
    CHECK(!first.wait_exit(milliseconds(0)).value());
    CHECK(first.is_ending());
    REQUIRE(reap(other).has_value());
    REQUIRE(first.wait_exit(milliseconds(-1)).value());
    CHECK(first.is_ending());
    REQUIRE(reap(first).has_value());
    CHECK(first.is_ending());
}

TEST_CASE("an exit code comes back as it was") {
    int gate[2];
    REQUIRE(::pipe2(&gate[0], O_CLOEXEC) == 0);
    const Fd in(gate[0]);
    Fd out(gate[1]);
    const pid_t pid = spawn([&] {
        out.reset();
        char byte = 0;
        (void)!::read(in.get(), &byte, 1);
        return 42;
    });
    const PidRef ref = open_live(pid);
    out.reset();
    CHECK(reap(ref).value() == ExitStatus{false, 42, false});
}

TEST_CASE("nobody is mistaken for the process that was remembered") {
    const auto self = identify(::getpid()).value();
    CHECK(PidRef::open(self).value().has_value());
    CHECK(!PidRef::open({self.pid, self.start_time + 1}).value().has_value());
    CHECK(!PidRef::open({self.pid, self.start_time, UINT64_MAX}).value().has_value());
    CHECK(!PidRef::open({0, 0}).value().has_value());
    CHECK(!PidRef::open({-1, 0}).value().has_value());
    CHECK(identify(0).error().kind() == ErrorKind::NotFound);
    CHECK(identify(-5).error().kind() == ErrorKind::NotFound);
}

TEST_CASE("a pid that is now a thread's is not the process") {
    std::promise<pid_t> tid;
    std::promise<void> done;
    std::thread thread([&] {
        tid.set_value(::gettid());
        done.get_future().wait();
    });
    const auto identity = identify(tid.get_future().get()).value();
    CHECK(!PidRef::open(identity).value().has_value());
    done.set_value();
    thread.join();
}

TEST_CASE("a pid that another process got is not the process") {
    const pid_t pid = spawn_sleeper();
    const PidRef old = open_live(pid);
    const auto remembered = identify(old).value();
    const PidIdentity by_start_time{pid, remembered.start_time};
    REQUIRE(old.signal(SIGKILL).has_value());
    REQUIRE(reap(old).has_value());
    std::this_thread::sleep_for(milliseconds(50));  // start times are counted in ticks of 10 ms
    const pid_t again = spawn_as(pid);
    if (again < 0) {
        MESSAGE("skipped: may not choose a pid: " << errno);
        return;
    }
    REQUIRE(again == pid);
    CHECK(!PidRef::open(remembered).value().has_value());
    CHECK(!PidRef::open(by_start_time).value().has_value());
    CHECK(old.signal(SIGKILL).has_value());  // reaches nobody
    const PidRef other = open_live(again);
    CHECK(!other.wait_exit(milliseconds(50)).value());
    CHECK(other.signal(SIGKILL).has_value());
    CHECK(reap(other).value().value == SIGKILL);
}
