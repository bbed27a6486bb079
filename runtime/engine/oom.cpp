#include "runtime/engine/oom.hpp"

#include <array>
#include <csignal>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace warren::engine {

namespace {

bool log_tells_oom_kill(pid_t pid) {
    constexpr std::size_t kRecordBytesMax = 8192;
    const auto log = base::open_at(AT_FDCWD, "/dev/kmsg", O_RDONLY | O_NONBLOCK);
    if (!log) {
        return false;
    }
    std::array<char, kRecordBytesMax> record{};
    for (;;) {
        const ssize_t got = ::read(log.value().get(), record.data(), record.size());
        if (got > 0) {
            if (tells_oom_kill({record.data(), static_cast<std::size_t>(got)}, pid)) {
                return true;
            }
        } else if (got == 0 || (errno != EPIPE && errno != EINTR)) {
            return false;  // EPIPE: overwritten while it was read, the next one is there
        }
    }
}

}  // namespace

bool tells_oom_kill(std::string_view record, pid_t pid) {
    // "3,1217,5140900,-;Memory cgroup out of memory: Killed process 71 (tail) total-vm:..."
    const std::string words = "ut of memory: Killed process " + std::to_string(pid) + " (";
    return record.find(words) != std::string_view::npos;
}

bool init_was_oom_killed(const Context& context,
                         const state::RunRecord& run,
                         std::optional<int> exit_code) {
    if (!run.init || run.cgroup.empty() || (exit_code && *exit_code != 128 + SIGKILL)) {
        return false;
    }
    const auto cgroup = cgroups::Cgroup::open(context.host.cgroup, run.cgroup);
    if (!cgroup) {
        return false;
    }
    const auto stats = cgroup.value().stats();
    if (!stats || stats.value().oom_kills.value_or(0) == 0) {
        return false;
    }
    return exit_code || log_tells_oom_kill(run.init->pid);
}

}  // namespace warren::engine
