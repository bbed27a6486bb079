// What a process is given from outside, or inherits from the moment of its clone. Internal to isolation.
#pragma once

#include <cstdint>
#include <vector>

#include <sys/types.h>

#include "base/result.hpp"
#include "isolation/container.hpp"

namespace warren::isolation {

// CPU numbers are below this, on any kernel: CONFIG_NR_CPUS is at most 8192.
inline constexpr std::uint32_t kCpuLimit = 8192;

// sched_setattr(2), ioprio_set(2), sched_setaffinity(2) on a process that waits for its release.
[[nodiscard]] base::Status apply_attributes(pid_t pid, const ContainerProcess& process);

// While it lives the calling thread, and what it clones, may run on these CPUs only. Empty: as it is.
class AffinityScope {
public:
    [[nodiscard]] static base::Result<AffinityScope> enter(const std::vector<std::uint32_t>& cpus);
    AffinityScope(AffinityScope&& other) noexcept;
    AffinityScope& operator=(AffinityScope&&) = delete;
    AffinityScope(const AffinityScope&) = delete;
    AffinityScope& operator=(const AffinityScope&) = delete;
    ~AffinityScope();

private:
    AffinityScope() = default;
    std::vector<unsigned long> before_;  // empty: nothing to undo
};

}  // namespace warren::isolation
