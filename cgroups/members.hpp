// Who is in a cgroup and below it.
#pragma once

#include <cstdint>
#include <vector>

#include <sys/types.h>

#include "base/result.hpp"

namespace warren::cgroups {

// Pids as this process's pid namespace has them; what has none there is left out. Unsorted.
[[nodiscard]] base::Result<std::vector<pid_t>> read_members(int dir);

// Threads, as pids.current counts them.
[[nodiscard]] base::Result<std::uint64_t> count_threads(int dir);

}  // namespace warren::cgroups
