// How much of the time work on the host stands still for want of memory or I/O: pressure stall information (PSI, Linux
// 4.20, psi=1 where a distribution has it off). Nothing of a cgroup: /proc/pressure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace warren::cgroups {

// Microseconds since the boot in which some process waited for memory (reclaim, refaults), and in which all that could
// run waited for I/O.
struct StallTimes {
    std::uint64_t memory_some_micros = 0;
    std::uint64_t io_full_micros = 0;
};

// `root` is "/" but in tests. Nullopt where the kernel does not tell.
[[nodiscard]] std::optional<StallTimes> host_stall_times(const std::string& root = "/");

}  // namespace warren::cgroups
