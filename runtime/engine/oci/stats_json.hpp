// The "data" of runc's stats events, from a cgroup's counters. Pure.
#pragma once

#include "base/json.hpp"
#include "cgroups/container_stats.hpp"

namespace warren::engine::oci {

// Times in nanoseconds, sizes in bytes; a limit that is none is the largest number, as runc has it.
[[nodiscard]] base::Json stats_json(const cgroups::ContainerStats& stats);

}  // namespace warren::engine::oci
