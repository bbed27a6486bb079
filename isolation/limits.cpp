// What a child may not raise for itself: done from outside while it waits.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>

#include "isolation/handshake.hpp"

namespace warren::isolation {

using base::Result;
using base::Status;

namespace {

constexpr std::array<const char*, RLIM_NLIMITS> kNames{"cpu",
                                                       "fsize",
                                                       "data",
                                                       "stack",
                                                       "core",
                                                       "rss",
                                                       "nproc",
                                                       "nofile",
                                                       "memlock",
                                                       "as",
                                                       "locks",
                                                       "sigpending",
                                                       "msgqueue",
                                                       "nice",
                                                       "rtprio",
                                                       "rttime"};

std::string limit_text(std::uint64_t value) {
    return value == RLIM64_INFINITY ? "unlimited" : std::to_string(value);
}

// Only the hard limit, and only upwards: the child sets the exact values itself when it needs no more.
Result<std::optional<std::string>> raise_hard(pid_t pid, const Rlimit& wanted, bool strict) {
    using Note = std::optional<std::string>;
    const std::string name = kNames.at(static_cast<std::size_t>(wanted.resource));
    const auto resource = static_cast<__rlimit_resource>(wanted.resource);
    rlimit64 now{};
    if (::prlimit64(pid, resource, nullptr, &now) != 0) {
        return base::errno_error("rlimit " + name + ": read");
    }
    if (wanted.hard <= now.rlim_max) {
        return Note();
    }
    const rlimit64 raised{now.rlim_cur, wanted.hard};
    if (::prlimit64(pid, resource, &raised, nullptr) == 0) {
        return Note();
    }
    if (errno != EPERM || strict) {
        return base::errno_error("rlimit " + name + ": raise from " + limit_text(now.rlim_max) +
                                 " to " + limit_text(wanted.hard));
    }
    if (wanted.best_effort) {
        return Note();
    }
    return Note("rlimit " + name + ": stays at " + limit_text(now.rlim_max) + ", " +
                limit_text(wanted.hard) + " needs CAP_SYS_RESOURCE");
}

}  // namespace

Result<std::vector<std::string>> apply_limits(pid_t pid, const ProcessSpec& process, bool strict) {
    std::vector<std::string> notes;
    for (const auto& limit : process.rlimits) {
        if (auto note = TRY(raise_hard(pid, limit, strict))) {
            notes.push_back(std::move(*note));
        }
    }
    if (process.oom_score_adj) {
        const std::string value = std::to_string(*process.oom_score_adj);
        const Status written =
            base::write_knob_at(AT_FDCWD, "/proc/" + std::to_string(pid) + "/oom_score_adj", value);
        if (!written && written.error().error_number() != EACCES) {
            return written.error();
        }
        if (!written) {
            notes.push_back("oom_score_adj: " + value + " needs CAP_SYS_RESOURCE");
        }
    }
    return notes;
}

}  // namespace warren::isolation
