// SIGKILL to every process of a cgroup tree.
#pragma once

#include "base/result.hpp"

namespace warren::cgroups {

// One write to cgroup.kill (5.14). False when the kernel has no such knob. A removed cgroup is success.
[[nodiscard]] base::Result<bool> kill_at_once(int dir);

// The same for older kernels: freezes, so that nobody forks meanwhile, and signals one by one. The caller thaws.
[[nodiscard]] base::Status kill_each(int dir);

}  // namespace warren::cgroups
