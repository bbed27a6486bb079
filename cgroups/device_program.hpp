// The program of type BPF_PROG_TYPE_CGROUP_DEVICE that a device list becomes. The kernel runs it for each open(2)
// and mknod(2) of a device node by a process of the cgroup; 0 denies.
#pragma once

#include <vector>

#include <linux/bpf.h>

#include "base/result.hpp"
#include "cgroups/cgroup.hpp"

namespace warren::cgroups {

// Default deny, then one test for each entry. Usage errors: a type that is none, numbers that no device has, more
// than a thousand entries.
[[nodiscard]] base::Result<std::vector<struct bpf_insn>> assemble_device_program(
    const std::vector<DeviceAccess>& allowed);

}  // namespace warren::cgroups
