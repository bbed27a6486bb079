// A directory that hands controllers on to its children (cgroup.subtree_control).
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "cgroups/limits.hpp"

namespace warren::cgroups {

// Turns one controller on for the children.
[[nodiscard]] base::Status enable_controller(int dir, std::string_view controller);

// Turns on all that are available, as far as that goes. What of `needed` the children then do not have is an error:
// Unsupported when the directory does not have it itself, Busy when processes or threads are in the way.
[[nodiscard]] base::Status hand_on_controllers(int dir, const std::set<std::string>& needed);

// The controllers of the directory itself (cgroup.controllers).
[[nodiscard]] base::Result<std::set<std::string>> own_controllers(int dir);

// Turns on all that are available, one by one. Busy, with the remedy, when processes are in the way.
[[nodiscard]] base::Status enable_controllers(int dir);

// Whether the children have all of `wanted` already.
[[nodiscard]] base::Result<bool> controllers_ready(int dir, const std::set<Controller>& wanted);

// What a container may make below its own cgroup. Each costs kernel memory that on a hybrid host nobody accounts, and
// the memory controller has 65535 ids for the whole host.
inline constexpr std::uint64_t kDescendantsMax = 1024;
inline constexpr std::uint64_t kDepthMax = 32;
[[nodiscard]] base::Status bound_growth(int dir);

// A mark on directories that we made, as an extended attribute: only such are removed.
void mark_as_ours(int dir);
[[nodiscard]] bool is_marked_as_ours(int dir);

}  // namespace warren::cgroups
