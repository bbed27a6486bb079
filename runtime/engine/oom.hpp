// How to tell that the kernel's out-of-memory killer ended a guest, when nobody was there to reap it.
#pragma once

#include <optional>
#include <string_view>

#include <sys/types.h>

#include "runtime/engine/context.hpp"
#include "runtime/state/records.hpp"

namespace warren::engine {

// "out of memory": last_run.reason of such a run.
inline constexpr std::string_view kOutOfMemory = "out of memory";

// Whether the run's first process was OOM-killed. Asked while its cgroup is still there: memory.events
// says whether anything was killed in it, and then the exit code, or without one the kernel's log,
// whether it was the first process. systemd removes the cgroup of the last guest by itself: then only
// the log is left. Where none can be had the answer is no.
[[nodiscard]] bool init_was_oom_killed(const Context& context,
                                       const state::RunRecord& run,
                                       std::optional<int> exit_code);

// Whether this record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg) says that the process was
// killed for want of memory. A record from before its start is of another with its number.
[[nodiscard]] bool tells_oom_kill(std::string_view record, const base::PidIdentity& process);

}  // namespace warren::engine
