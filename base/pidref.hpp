// A process that cannot be mistaken for another: pid + start time + boot id on disk, a pidfd in
// hand.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <sys/types.h>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace warren::base {

// What a state file remembers of a process. A value.
struct PidIdentity {
    pid_t pid = 0;
    // Clock ticks after boot, field 22 of proc_pid_stat(5), in the initial time namespace's terms.
    std::uint64_t start_time = 0;
    // Of its pidfd: given to one process only while the system runs (pidfs, Linux 6.9, on 64 bits). 0: not known. Tells
    // the same as the start time with less work for the kernel, so it is no part of the comparison.
    std::uint64_t pidfd_inode = 0;

    bool operator==(const PidIdentity& other) const {
        return pid == other.pid && start_time == other.start_time;
    }
};

class PidRef;

// Reads the start time of a live process; NotFound when it is gone or a zombie.
[[nodiscard]] Result<PidIdentity> identify(pid_t pid);
// With the inode of its pidfd, where the kernel has such.
[[nodiscard]] Result<PidIdentity> identify(const PidRef& process);

// /proc/sys/kernel/random/boot_id, without the newline.
[[nodiscard]] Result<std::string> boot_id();

// An open handle on one process (pidfd_open(2), Linux 5.3). Signals go by pidfd_send_signal(2)
// only.
class PidRef {
public:
    PidRef() = default;
    // Opens the pidfd first and compares its inode, or the start time, afterwards. Empty when the process is gone, is a
    // zombie, or the pid belongs to another by now.
    [[nodiscard]] static Result<std::optional<PidRef>> open(const PidIdentity& identity);

    // Takes a pidfd that clone3(2) gave.
    PidRef(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

    [[nodiscard]] pid_t pid() const { return pid_; }

    [[nodiscard]] int pidfd() const { return pidfd_.get(); }

    [[nodiscard]] bool valid() const { return pidfd_.valid(); }

    // "Already gone" is success.
    [[nodiscard]] Status signal(int signal_number) const;
    // True when the process has exited (zombie or reaped) before the timeout; negative waits for
    // ever.
    [[nodiscard]] Result<bool> wait_exit(std::chrono::milliseconds timeout) const;
    // True also before that, from when it has given up its namespaces on its way out. The first process of a PID
    // namespace does so, then kills the others and waits until they are reaped (pid_namespaces(7)): it has not exited
    // when they have. False where it may not be looked at (ptrace(2), PTRACE_MODE_READ).
    [[nodiscard]] bool is_ending() const;

private:
    pid_t pid_ = 0;
    Fd pidfd_;
};

// How a reaped child ended.
struct ExitStatus {
    bool signaled = false;
    int value = 0;  // exit code, or the signal's number
    bool core_dumped = false;

    // 0..255: the exit code, or 128 + signal.
    [[nodiscard]] int shell_code() const { return signaled ? 128 + value : value; }

    bool operator==(const ExitStatus&) const = default;
};

// waitid(2) on a child of ours by its pidfd; blocks.
[[nodiscard]] Result<ExitStatus> reap(const PidRef& child);

}  // namespace warren::base
