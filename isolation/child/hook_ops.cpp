// Hooks that run in the container's namespaces: a program of the configuration, as a child of this process, with the
// container's state as its standard input.
#include <csignal>
#include <ctime>

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <poll.h>

#include "isolation/child/container_step.hpp"
#include "isolation/child/ops.hpp"
#include "isolation/child/syscalls.hpp"

namespace warren::isolation::child {

namespace {

constexpr int kSignalKilled = 2;  // CLD_KILLED
constexpr int kSignalDumped = 3;  // CLD_DUMPED
constexpr int kExited = 1;        // CLD_EXITED
constexpr std::size_t kSigsetSize = 8;

// The kernel's siginfo of a child, as waitid(2) fills it.
struct ChildInfo {
    std::int32_t signal;
    std::int32_t error;
    std::int32_t code;
    std::int32_t padding;
    std::int32_t pid;
    std::uint32_t uid;
    std::int32_t status;
    unsigned char rest[100];
};

static_assert(sizeof(ChildInfo) == 128);

// In the hook's process: only an errno comes back, through the pipe.
[[noreturn]] void become_hook(const HookData& hook, int state, int answer) {
    const std::uint64_t none = 0;
    constexpr int kSetMask = 2;
    (void)sys(SYS_rt_sigprocmask, kSetMask, &none, nullptr, kSigsetSize);
    int result = status(SYS_lseek, state, 0, 0);
    if (result == 0) {
        result = status(SYS_dup3, state, 0, 0);
    }
    // What the caller hands on to the program is not for hooks.
    if (result == 0) {
        result = status(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
    }
    if (result == 0) {
        result = status(SYS_execve, hook.path, hook.argv, hook.env);
    }
    (void)sys(SYS_write, answer, &result, sizeof(result));
    leave(127);
}

// 0, -ETIMEDOUT, or why it could not be waited for.
int wait_end(int pidfd, std::int32_t timeout_ms) {
    timespec until{};
    timespec now{};
    (void)sys(SYS_clock_gettime, CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    for (;;) {
        timespec left{};
        (void)sys(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
        left.tv_sec = until.tv_sec - now.tv_sec;
        left.tv_nsec = until.tv_nsec - now.tv_nsec;
        if (left.tv_nsec < 0) {
            left.tv_nsec += 1'000'000'000;
            --left.tv_sec;
        }
        if (timeout_ms >= 0 && left.tv_sec < 0) {
            return -ETIMEDOUT;
        }
        pollfd polled{pidfd, POLLIN, 0};
        const long ready =
            sys(SYS_ppoll, &polled, 1, timeout_ms >= 0 ? &left : nullptr, nullptr, kSigsetSize);
        if (ready > 0) {
            return 0;
        }
        if (ready < 0 && ready != -EINTR) {
            return static_cast<int>(ready);
        }
    }
}

int reap(int kind, int id, int options, ChildInfo& info) {
    int result = 0;
    do {
        result = status(SYS_waitid, kind, id, &info, options, nullptr);
    } while (result == -EINTR);
    return result;
}

// What the hook left behind ended up with us where we are a pid namespace's first process.
void reap_orphans() {
    constexpr int kAny = 0;  // P_ALL
    for (ChildInfo info{}; reap(kAny, 0, WEXITED | WNOHANG, info) == 0 && info.pid != 0;) {
        info.pid = 0;
    }
}

int judge(Context& context, const ChildInfo& info) {
    if (info.code == kExited && info.status == 0) {
        return 0;
    }
    const bool killed = info.code == kSignalKilled || info.code == kSignalDumped;
    context.detail = killed ? -info.status : info.status + kHookStatus;
    return -ECHILD;
}

// The errno of a hook that could not be executed; 0 once it was.
int start_answer(int pipe) {
    int error = 0;
    long got = 0;
    do {
        got = sys(SYS_read, pipe, &error, sizeof(error));
    } while (got == -EINTR);
    return got == sizeof(error) ? error : 0;
}

}  // namespace

// RunHook: data a HookData, slot a file with the state.
int run_hook(Context& context, const Step& step) {
    HookData hook;
    __builtin_memcpy(&hook, step.data, sizeof(hook));
    int answer[2] = {-1, -1};
    int result = status(SYS_pipe2, answer, O_CLOEXEC);
    if (result != 0) {
        return result;
    }
    int pidfd = -1;
    clone_args args{};
    args.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
    args.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
    args.exit_signal = SIGCHLD;
    const long pid = sys(SYS_clone3, &args, sizeof(args));
    if (pid == 0) {
        become_hook(hook, context.slots[step.slot], answer[1]);
    }
    (void)sys(SYS_close, answer[1]);
    if (pid < 0) {
        (void)sys(SYS_close, answer[0]);
        return static_cast<int>(pid);
    }
    const int started = start_answer(answer[0]);
    (void)sys(SYS_close, answer[0]);
    const int ended = wait_end(pidfd, hook.timeout_ms);
    if (ended != 0) {
        (void)sys(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
    }
    constexpr int kPidfd = 3;  // P_PIDFD
    ChildInfo info{};
    result = reap(kPidfd, pidfd, WEXITED, info);
    (void)sys(SYS_close, pidfd);
    reap_orphans();
    if (started != 0) {
        return started;
    }
    if (ended != 0) {
        return ended;
    }
    return result != 0 ? result : judge(context, info);
}

}  // namespace warren::isolation::child
