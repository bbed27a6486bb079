#include "isolation/owned_child.hpp"

#include <csignal>
#include <cstring>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace warren::isolation {

using base::Error;
using base::ErrorKind;
using base::Result;

namespace {

constexpr std::size_t kGuardSize = std::size_t{64} << 10;  // the largest page there is

clone_args arguments(const CloneRequest& request, int& pidfd) {
    clone_args args{};
    args.flags = request.flags | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
    args.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
    args.exit_signal = SIGCHLD;
    if (request.stack != nullptr) {
        args.flags |= CLONE_VM;
        args.stack = reinterpret_cast<std::uintptr_t>(request.stack->lowest());
        args.stack_size = ChildStack::kSize;
    }
    if (request.cgroup_fd >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = static_cast<__u64>(request.cgroup_fd);
    }
    return args;
}

class SignalsBlocked {
public:
    SignalsBlocked() {
        sigset_t all;
        ::sigfillset(&all);
        (void)::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }

    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;
    SignalsBlocked(SignalsBlocked&&) = delete;
    SignalsBlocked& operator=(SignalsBlocked&&) = delete;

    ~SignalsBlocked() { (void)::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_{};
};

Error clone_error(int error_number, const CloneRequest& request) {
    const bool time = (request.flags & CLONE_NEWTIME) != 0;
    if (error_number == EINVAL && time && ::access("/proc/self/ns/time", F_OK) != 0) {
        return {ErrorKind::Unsupported,
                "clone into new namespaces: this kernel has no time namespaces (Linux 5.6, "
                "CONFIG_TIME_NS)"};
    }
    if (error_number == ENOSYS) {
        return {ErrorKind::Unsupported, "clone into new namespaces: needs clone3 (Linux 5.7)"};
    }
    if (error_number == ENOSPC) {
        return base::errno_error(error_number,
                                 std::string("clone into new namespaces") + kNamespaceLimit);
    }
    if (error_number == EAGAIN) {
        return base::errno_error(error_number, "clone: the limit on processes");
    }
    const bool cgroup = request.cgroup_fd >= 0;
    if (cgroup && (error_number == EBUSY || error_number == EOPNOTSUPP || error_number == EBADF)) {
        return base::errno_error(error_number, "clone into the guest's cgroup");
    }
    return base::errno_error(error_number, "clone into new namespaces");
}

}  // namespace

OwnedChild::~OwnedChild() {
    if (process_.valid()) {
        (void)process_.signal(SIGKILL);
        (void)base::reap(process_);
    }
}

std::string death_words(const base::PidRef& process) {
    siginfo_t info{};
    const auto id = static_cast<id_t>(process.pidfd());
    while (::waitid(P_PIDFD, id, &info, WEXITED | WNOWAIT) != 0) {
        if (errno != EINTR) {
            return "ended";
        }
    }
    if (info.si_code == CLD_EXITED) {
        return "exited with status " + std::to_string(info.si_status);
    }
    const char* name = ::sigabbrev_np(info.si_status);
    std::string words = "was killed by ";
    words +=
        name != nullptr ? "SIG" + std::string(name) : "signal " + std::to_string(info.si_status);
    if (info.si_status == SIGSYS) {
        words += " (the system call filter)";
    } else if (info.si_status == SIGKILL) {
        words += " (out of memory, or killed from outside)";
    }
    return words;
}

void ChildStack::Unmap::operator()(void* memory) const {
    (void)::munmap(static_cast<char*>(memory) - kGuardSize, kGuardSize + kSize);
}

Result<ChildStack> ChildStack::make() {
    constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK;
    void* memory = ::mmap(nullptr, kGuardSize + kSize, PROT_READ | PROT_WRITE, kFlags, -1, 0);
    if (memory == MAP_FAILED) {
        return base::errno_error("allocate the child's stack");
    }
    ChildStack stack(static_cast<char*>(memory) + kGuardSize);
    if (::mprotect(memory, kGuardSize, PROT_NONE) != 0) {
        return base::errno_error("protect the child's stack");
    }
    return stack;
}

Result<OwnedChild> clone_child(const CloneRequest& request, const Birth& birth) {
    int pidfd = -1;
    const clone_args args = arguments(request, pidfd);
    long pid = 0;
    {
        const SignalsBlocked blocked;
        pid = birth(args);
    }
    if (pid < 0) {
        return clone_error(static_cast<int>(-pid), request);
    }
    return OwnedChild(base::PidRef(static_cast<pid_t>(pid), base::Fd(pidfd)));
}

}  // namespace warren::isolation
