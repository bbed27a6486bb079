// From the resources of a container to writes in one cgroup: what depends on the host, and on what is in force.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cgroups/host.hpp"
#include "cgroups/resources.hpp"

namespace warren::cgroups {

// Controllers without which these knobs cannot be.
[[nodiscard]] std::set<std::string> needed_controllers(const std::vector<Knob>& knobs);

// Refuses knobs whose controller is not among `available`: Unsupported, which controller, for which knobs, where it is
// instead, and what to do.
[[nodiscard]] base::Status check_knobs(const Host& host,
                                       const std::set<std::string>& available,
                                       const std::vector<Knob>& knobs);

// The resources with what a change leaves open filled in from the files: the period beside a quota, the quota beside a
// period, the memory limit beside one of memory and swap. Usage for checkBeforeUpdate and less than is in use.
[[nodiscard]] base::Result<Resources> complete_resources(int dir,
                                                         Resources resources,
                                                         const std::string& pointer);

// In an order in which a running container takes them: see plan_knobs().
[[nodiscard]] base::Status write_live(int dir, std::vector<Knob> knobs);

}  // namespace warren::cgroups
