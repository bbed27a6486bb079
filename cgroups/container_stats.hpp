// All that a cgroup counts, for `events --stats`. What the kernel or the host's set of controllers does not have is
// absent.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "cgroups/limits.hpp"

namespace warren::cgroups {

using Counters = std::map<std::string, std::uint64_t>;  // a flat keyed file

struct IoCounters {
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    Counters values;  // rbytes wbytes rios wios dbytes dios
    bool operator==(const IoCounters&) const = default;
};

struct HugetlbCounters {
    std::uint64_t current_bytes = 0;
    std::optional<Limit> max_bytes;
    std::uint64_t max_hits = 0;
    bool operator==(const HugetlbCounters&) const = default;
};

struct PressureLine {
    double avg10 = 0, avg60 = 0, avg300 = 0;  // per cent
    std::uint64_t total_micros = 0;
    bool operator==(const PressureLine&) const = default;
};

struct Pressure {
    PressureLine some, full;
    bool operator==(const Pressure&) const = default;
};

struct ContainerStats {
    // usage_usec user_usec system_usec; with the controller nr_periods nr_throttled throttled_usec nr_bursts burst_usec
    Counters cpu;
    std::optional<std::uint64_t> memory_bytes, memory_peak_bytes, swap_bytes;
    std::optional<Limit> memory_max, swap_max;
    Counters memory;                    // memory.stat, whole
    Counters memory_events;             // low high max oom oom_kill oom_group_kill
    Counters swap_events;               // high max fail
    std::optional<std::uint64_t> pids;  // by pids.current, or counted
    std::optional<Limit> pids_max;
    std::vector<IoCounters> io;
    std::map<std::string, HugetlbCounters> hugetlb;  // by page size: "2MB"
    std::map<std::string, Counters> rdma;            // by device: hca_handle hca_object
    std::map<std::string, Pressure> pressure;        // "cpu", "memory", "io"
};

[[nodiscard]] base::Result<ContainerStats> read_container_stats(int dir);

// Tells of processes that the kernel kills for want of memory in this cgroup and below it. poll(2) with POLLPRI on
// fd(); then read(). Move-only.
class OomWatch {
public:
    // Unsupported without the memory controller.
    [[nodiscard]] static base::Result<OomWatch> open(int dir);

    [[nodiscard]] int fd() const { return file_.get(); }

    // How many since the last time (the first: since open()). NotFound when the cgroup is gone. Clears the event.
    [[nodiscard]] base::Result<std::uint64_t> read();

private:
    explicit OomWatch(base::Fd file) : file_(std::move(file)) {}

    base::Fd file_;
    std::uint64_t seen_ = 0;
};

}  // namespace warren::cgroups
