#include "isolation/process_attributes.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include <sys/syscall.h>
#include <unistd.h>

namespace warren::isolation {

using base::Result;
using base::Status;

namespace {

// <linux/sched/types.h> and <linux/ioprio.h> do not go together with the C library and C++.
struct SchedulerAttributes {
    std::uint32_t size;
    std::uint32_t policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime;
    std::uint64_t deadline;
    std::uint64_t period;
};

static_assert(sizeof(SchedulerAttributes) == 48);  // SCHED_ATTR_SIZE_VER0
constexpr int kWhoProcess = 1;                     // IOPRIO_WHO_PROCESS

constexpr std::size_t kWordBits = std::numeric_limits<unsigned long>::digits;
constexpr std::size_t kMaskWords = kCpuLimit / kWordBits;

// By number: the C library's cpu_set_t is too short for big machines.
long set_mask(pid_t pid, const std::vector<unsigned long>& mask) {
    return ::syscall(SYS_sched_setaffinity, pid, mask.size() * sizeof(unsigned long), mask.data());
}

std::vector<unsigned long> mask_of(const std::vector<std::uint32_t>& cpus) {
    std::vector<unsigned long> mask(kMaskWords);
    for (const auto cpu : cpus) {
        mask.at(cpu / kWordBits) |= 1UL << (cpu % kWordBits);
    }
    return mask;
}

Status apply_scheduler(pid_t pid, const SchedulerSpec& wanted) {
    const SchedulerAttributes attr{sizeof(attr),
                                   wanted.policy,
                                   wanted.flags,
                                   wanted.nice,
                                   wanted.priority,
                                   wanted.runtime,
                                   wanted.deadline,
                                   wanted.period};
    if (::syscall(SYS_sched_setattr, pid, &attr, 0) != 0) {
        return base::errno_error("scheduler: set policy " + std::to_string(wanted.policy));
    }
    return base::ok();
}

}  // namespace

Status apply_attributes(pid_t pid, const ContainerProcess& process) {
    if (process.scheduler) {
        TRY(apply_scheduler(pid, *process.scheduler));
    }
    if (process.io_priority &&
        ::syscall(SYS_ioprio_set, kWhoProcess, pid, *process.io_priority) != 0) {
        return base::errno_error("I/O priority: set");
    }
    if (!process.final_cpus.empty() && set_mask(pid, mask_of(process.final_cpus)) != 0) {
        return base::errno_error("CPU affinity: set the final CPUs");
    }
    return base::ok();
}

AffinityScope::AffinityScope(AffinityScope&& other) noexcept
    : before_(std::exchange(other.before_, {})) {}

AffinityScope::~AffinityScope() {
    if (!before_.empty()) {
        (void)set_mask(0, before_);
    }
}

Result<AffinityScope> AffinityScope::enter(const std::vector<std::uint32_t>& cpus) {
    AffinityScope scope;
    if (cpus.empty()) {
        return scope;
    }
    std::vector<unsigned long> before(kMaskWords);
    const std::size_t size = before.size() * sizeof(unsigned long);
    if (::syscall(SYS_sched_getaffinity, 0, size, before.data()) < 0) {
        return base::errno_error("CPU affinity: read");
    }
    if (set_mask(0, mask_of(cpus)) != 0) {
        return base::errno_error("CPU affinity: set the initial CPUs");
    }
    scope.before_ = std::move(before);
    return scope;
}

}  // namespace warren::isolation
