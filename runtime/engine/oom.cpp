#include "runtime/engine/oom.hpp"

#include <array>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace warren::engine {

namespace {

bool log_tells_oom_kill(const base::PidIdentity& process) {
    constexpr std::size_t kRecordBytesMax = 8192;
    const auto log = base::open_at(AT_FDCWD, "/dev/kmsg", O_RDONLY | O_NONBLOCK);
    if (!log) {
        return false;
    }
    std::array<char, kRecordBytesMax> record{};
    for (;;) {
        const ssize_t got = ::read(log.value().get(), record.data(), record.size());
        if (got > 0) {
            if (tells_oom_kill({record.data(), static_cast<std::size_t>(got)}, process)) {
                return true;
            }
        } else if (got == 0 || (errno != EPIPE && errno != EINTR)) {
            return false;  // EPIPE: overwritten while it was read, the next one is there
        }
    }
}

// "PRIORITY,SEQUENCE,MICROSECONDS,...;text"
std::optional<std::uint64_t> micros_of(std::string_view record) {
    for (int comma = 0; comma < 2; ++comma) {
        const auto at = record.find(',');
        if (at == std::string_view::npos) {
            return std::nullopt;
        }
        record.remove_prefix(at + 1);
    }
    std::uint64_t micros = 0;
    const auto [end, error] = std::from_chars(record.data(), record.data() + record.size(), micros);
    return error == std::errc() ? std::optional(micros) : std::nullopt;
}

}  // namespace

bool tells_oom_kill(std::string_view record, const base::PidIdentity& process) {
    // "3,1217,5140900,-;Memory cgroup out of memory: Killed process 71 (tail) total-vm:..."
    const std::string words = "ut of memory: Killed process " + std::to_string(process.pid) + " (";
    if (record.find(words) == std::string_view::npos) {
        return false;
    }
    // The log's clock and the one of start times may be a little apart.
    constexpr std::uint64_t kMicrosPerTick = 10'000;  // USER_HZ is 100
    constexpr std::uint64_t kSlackMicros = 1'000'000;
    const auto micros = micros_of(record);
    return micros && *micros + kSlackMicros >= process.start_time * kMicrosPerTick;
}

bool init_was_oom_killed(const Context& context,
                         const state::RunRecord& run,
                         std::optional<int> exit_code) {
    if (!run.init || run.cgroup.empty() || (exit_code && *exit_code != 128 + SIGKILL)) {
        return false;
    }
    const auto cgroup = cgroups::Cgroup::open(context.host.cgroup, run.cgroup);
    if (!cgroup) {
        return log_tells_oom_kill(*run.init);
    }
    const auto stats = cgroup.value().stats();
    if (!stats || stats.value().oom_kills.value_or(0) == 0) {
        return false;
    }
    return exit_code || log_tells_oom_kill(*run.init);
}

}  // namespace warren::engine
