#include "cgroups/events.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "cgroups/flat_file.hpp"
#include "cgroups/tree.hpp"

namespace warren::cgroups {

namespace {

constexpr const char* kFile = "cgroup.events";

// The kernel marks an event as seen when the file is read from its start, by this descriptor.
base::Result<Events> reread(int fd) {
    std::array<char, 256> buffer = {};
    const ssize_t got = ::pread(fd, buffer.data(), buffer.size(), 0);
    if (got < 0) {
        if (errno == ENODEV) {
            return Events();
        }
        return base::errno_error(std::string("read ") + kFile);
    }
    return parse_events(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
}

}  // namespace

Events parse_events(std::string_view text) {
    Events events;
    for_each_pair(text, [&events](std::string_view key, std::uint64_t value) {
        if (key == "populated") {
            events.populated = value != 0;
        } else if (key == "frozen") {
            events.frozen = value != 0;
        }
    });
    return events;
}

base::Result<Events> read_events(int dir) {
    const auto text = base::read_file_at(dir, kFile);
    if (!text && is_gone(text.error())) {
        return Events();
    }
    return parse_events(TRY(text));
}

base::Result<bool> wait_events(int dir,
                               bool (*wanted)(const Events&),
                               std::chrono::milliseconds timeout) {
    using Clock = std::chrono::steady_clock;
    // The kernel holds back an event that follows another within 10 ms, and forgets it when somebody removes the
    // cgroup meanwhile, as systemd does with an empty scope.
    constexpr std::chrono::milliseconds kLookAgain(25);
    const auto deadline = Clock::now() + timeout;
    auto file = base::open_at(dir, kFile, O_RDONLY);
    if (!file) {
        if (is_gone(file.error())) {
            return wanted(Events());
        }
        return std::move(file).error();
    }
    for (;;) {
        if (wanted(TRY(reread(file.value().get())))) {
            return true;
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0) {
            return false;
        }
        struct pollfd waiter = {file.value().get(), POLLPRI, 0};
        const auto wait_ms = std::min(left, kLookAgain).count();
        if (::poll(&waiter, 1, static_cast<int>(wait_ms)) < 0 && errno != EINTR) {
            return base::errno_error(std::string("poll ") + kFile);
        }
    }
}

}  // namespace warren::cgroups
