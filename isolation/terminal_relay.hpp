// Moves bytes between the caller's descriptors and a process's until the process has ended: one
// poll(2) loop, no threads. Descriptors that the caller shares with others (a shell's terminal)
// never become non-blocking by us.
#pragma once

#include <csignal>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/pidref.hpp"
#include "base/result.hpp"

namespace warren::isolation {

// The given signals come through a descriptor for this object's lifetime, so that none of them ends
// the caller between two steps. SIGPIPE is held back as well: a write answers EPIPE. The destructor
// puts the caller's mask back; what has come and was not taken is delivered then.
class CaughtSignals {
public:
    [[nodiscard]] static base::Result<CaughtSignals> catch_these(std::span<const int> signals);
    CaughtSignals(CaughtSignals&& other) noexcept;
    CaughtSignals& operator=(CaughtSignals&&) = delete;
    CaughtSignals(const CaughtSignals&) = delete;
    CaughtSignals& operator=(const CaughtSignals&) = delete;
    ~CaughtSignals();

    [[nodiscard]] int fd() const { return fd_.get(); }

    // Takes the next signal that has come; nullopt when there is none.
    [[nodiscard]] std::optional<int> next() const;

private:
    CaughtSignals(base::Fd fd, const sigset_t& previous)
        : fd_(std::move(fd)), previous_(previous) {}

    base::Fd fd_;  // empty: moved from
    sigset_t previous_{};
};

// Where bytes go without blocking us: a second open file description where the kernel gives one
// (terminals, pipes), MSG_DONTWAIT on sockets, small writes after poll(2) where neither can be had.
class RelaySink {
public:
    // Borrows the caller's `fd`; below 0: closed.
    [[nodiscard]] static RelaySink borrow(int fd);
    // Takes our end of a pipe, or a pty's master, and makes it non-blocking.
    [[nodiscard]] static base::Result<RelaySink> take(base::Fd fd);

    [[nodiscard]] int fd() const { return fd_; }

    // Bytes taken; 0: not now, poll(2) says when; nullopt: nobody reads any more.
    [[nodiscard]] std::optional<std::size_t> write(std::span<const std::byte> bytes) const;
    void close();

private:
    RelaySink() = default;
    base::Fd own_;
    int fd_ = -1;
    bool socket_ = false;
    bool careful_ = false;  // may block: ask poll(2) first
    std::size_t most_ = 0;  // bytes in one write
};

// Where bytes come from: the caller's (borrowed, blocking) or ours (taken, non-blocking).
class RelaySource {
public:
    [[nodiscard]] static RelaySource borrow(int fd);
    [[nodiscard]] static base::Result<RelaySource> take(base::Fd fd);

    [[nodiscard]] bool is_open() const { return fd_ >= 0; }

    // What to poll(2) for POLLIN. After a hang-up an epoll(7) descriptor that wakes when the pty is
    // used again; the pty itself would say POLLHUP without end.
    [[nodiscard]] int poll_fd() const { return watch_ ? watch_.get() : fd_; }

    [[nodiscard]] bool hung_up() const { return watch_.valid(); }

    enum class Outcome : unsigned char { Data, Nothing, End, HungUp };
    // Replaces `out` by what is there, at most `limit` bytes.
    [[nodiscard]] Outcome read(std::vector<std::byte>& out, std::size_t limit);
    // After Outcome::HungUp: wait for the pty's next user.
    [[nodiscard]] base::Status watch();
    void close();

private:
    RelaySource() = default;
    base::Fd own_;
    int fd_ = -1;
    base::Fd watch_;
};

// One direction.
struct RelayChannel {
    RelaySource from;
    RelaySink to;
    bool into_process = false;      // over when the process has ended
    std::vector<std::byte> buffer;  // read and not yet written, from `begin` on
    std::size_t begin = 0;
    bool at_line_start = true;   // where the last byte read left off
    bool end_passed_on = false;  // the process has been told that there is no more
};

struct RelayRules {
    // A caught signal has come. False ends the relay.
    std::function<base::Result<bool>(int signal)> on_signal;
    // Set when the channels share one pty. A hang-up is then a pause (an init closes its console
    // and opens it again), the end of the caller's input is typed as the end-of-file character, and
    // when the caller's output is gone, this is called once to close what the channels do not own.
    std::function<void()> hang_up;
};

// Returns true when the process has ended and its output has been passed on (what descendants that
// outlive it write later is not waited for), false when on_signal said so. Does not reap.
[[nodiscard]] base::Result<bool> run_relay(const base::PidRef& process,
                                           const CaughtSignals& signals,
                                           std::vector<RelayChannel> channels,
                                           const RelayRules& rules);

}  // namespace warren::isolation
