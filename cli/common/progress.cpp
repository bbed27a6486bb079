#include "cli/common/progress.hpp"

#include <array>

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/result.hpp"

namespace warren::cli {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPatience{1000};
constexpr std::chrono::milliseconds kPause{100};
constexpr std::size_t kLineBytes = 512;

void draw(int terminal, const std::string& title, Clock::duration age) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
    const std::string line = "\r\x1b[K" + title + " ... " + std::to_string(seconds) + "s";
    (void)base::write_all(terminal, line, "terminal");
}

void draw_until_end(int terminal, int from_program, std::string title) {
    const Clock::time_point start = Clock::now();
    bool drawn = false;
    while (true) {
        pollfd waiting{from_program, POLLIN, 0};
        const int timeout = static_cast<int>(kPatience.count());
        const int ready = poll(&waiting, 1, timeout);
        if (ready > 0) {
            std::array<char, kLineBytes> text{};
            const ssize_t length = recv(from_program, text.data(), text.size(), 0);
            if (length <= 0) {
                break;
            }
            title.assign(text.data(), static_cast<std::size_t>(length));
        }
        const Clock::duration age = Clock::now() - start;
        if (age >= kPatience) {
            draw(terminal, title, age);
            drawn = true;
        }
    }
    if (drawn) {
        (void)base::write_all(terminal, "\r\x1b[K", "terminal");
    }
}

}  // namespace

Progress::Progress(int terminal, std::string_view title) {
    std::array<int, 2> ends{-1, -1};
    if (terminal < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return;
    }
    base::Fd from_program(ends[0]);
    to_drawer_.reset(ends[1]);
    const pid_t pid = fork();
    if (pid == 0) {
        to_drawer_.reset();
        draw_until_end(terminal, from_program.get(), base::printable(title));
        _exit(0);
    }
    const int pidfd = pid < 0 ? -1 : static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    drawer_ = base::PidRef(pid, base::Fd(pidfd));
}

Progress::~Progress() {
    finish();
}

void Progress::update(std::string_view text) {
    const Clock::time_point now = Clock::now();
    if (!to_drawer_ || now - last_ < kPause) {
        return;
    }
    last_ = now;
    const std::string line = base::printable(text).substr(0, kLineBytes);
    // A drawer that was killed or is stopped costs the work nothing.
    (void)send(to_drawer_.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Progress::finish() {
    if (!to_drawer_) {
        return;
    }
    to_drawer_.reset();
    if (drawer_.valid()) {
        (void)base::reap(drawer_);
    }
}

}  // namespace warren::cli
