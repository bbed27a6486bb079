#include "cgroups/holder.hpp"

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/pidref.hpp"

namespace warren::cgroups {

namespace {

// Runs in a copy of the caller's memory in which any lock may be held for ever: system calls only.
[[noreturn]] void hold(pid_t parent) {
    const std::uint64_t all_signals = ~std::uint64_t{0};
    (void)::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all_signals, nullptr, sizeof(all_signals));
    (void)::syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (::syscall(SYS_getppid) != parent) {
        ::_exit(0);  // it died before it could be asked about
    }
    (void)::syscall(SYS_close_range, 0U, ~0U, 0U);
    for (;;) {
        // pause(2) is not on every architecture.
        (void)::syscall(SYS_ppoll, nullptr, 0, nullptr, nullptr, 0);
    }
}

}  // namespace

base::Result<Holder> start_holder(int dir) {
    std::array<int, 2> ends = {-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return base::errno_error("create a pipe");
    }
    const base::Fd read_end(ends[0]);
    base::Fd write_end(ends[1]);
    int pidfd = -1;
    struct clone_args arguments = {};
    arguments.flags = CLONE_PIDFD;
    arguments.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
    arguments.exit_signal = SIGCHLD;
    if (dir >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = static_cast<decltype(arguments.cgroup)>(dir);
    }
    const pid_t self = ::getpid();
    const long pid = ::syscall(SYS_clone3, &arguments, sizeof(arguments));
    if (pid < 0) {
        return base::errno_error("start a process to hold the cgroup");
    }
    if (pid == 0) {
        hold(self);
    }
    Holder holder{static_cast<pid_t>(pid), base::Fd(pidfd)};
    write_end.reset();
    // Nobody writes: the end comes when the child has closed its copy.
    char byte = 0;
    while (::read(read_end.get(), &byte, 1) < 0 && errno == EINTR) {
    }
    return holder;
}

void end_holder(Holder holder) {
    const base::PidRef child(holder.pid, std::move(holder.pidfd));
    (void)child.signal(SIGKILL);
    (void)base::reap(child);
}

}  // namespace warren::cgroups
