// A directory that hands controllers on to its children (cgroup.subtree_control).
#pragma once

#include <set>
#include <string_view>

#include "base/result.hpp"
#include "cgroups/limits.hpp"

namespace warren::cgroups {

// Turns one controller on for the children.
[[nodiscard]] base::Status enable_controller(int dir, std::string_view controller);

// Turns on all that are available, one by one. Busy, with the remedy, when processes are in the way.
[[nodiscard]] base::Status enable_controllers(int dir);

// Whether the children have all of `wanted` already.
[[nodiscard]] base::Result<bool> controllers_ready(int dir, const std::set<Controller>& wanted);

// A mark on directories that we made, as an extended attribute: only such are removed.
void mark_as_ours(int dir);
[[nodiscard]] bool is_marked_as_ours(int dir);

}  // namespace warren::cgroups
