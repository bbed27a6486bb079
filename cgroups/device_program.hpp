// The program of type BPF_PROG_TYPE_CGROUP_DEVICE that a list of device rules becomes. The kernel runs it for each
// open(2) and mknod(2) of a device node by a process of the cgroup; 0 denies.
#pragma once

#include <vector>

#include <linux/bpf.h>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "cgroups/cgroup.hpp"
#include "cgroups/resources.hpp"

namespace warren::cgroups {

// Of each kind of access that is asked for, the last rule that names the device and that kind decides; none: denied.
// All that is asked for must be allowed. Usage errors: a type that is none, numbers that no device has, too many
// entries.
[[nodiscard]] base::Result<std::vector<struct bpf_insn>> assemble_device_program(
    const std::vector<DeviceRule>& rules);

[[nodiscard]] std::vector<DeviceRule> to_rules(const std::vector<DeviceAccess>& allowed);

// Verified and compiled by the kernel, ready to be attached to any number of cgroups.
[[nodiscard]] base::Result<base::Fd> load_device_program(const std::vector<DeviceRule>& rules);
// Attaches it to a cgroup, in the place of our own earlier one.
[[nodiscard]] base::Status attach_device_program(int cgroup, const base::Fd& program);
// Both in one.
[[nodiscard]] base::Status replace_device_program(int cgroup, const std::vector<DeviceRule>& rules);

}  // namespace warren::cgroups
