// Device programs that many cgroups share: the guests of a batch mostly have the same devices, and the kernel verifies
// and compiles each program it is given anew (BPF_PROG_LOAD, Linux 4.15).
#pragma once

#include <deque>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "cgroups/cgroup.hpp"

namespace warren::cgroups {

class DevicePrograms {
public:
    // Gives `cgroup` the program of this list, as Cgroup::set_devices() does.
    [[nodiscard]] base::Status set(const Cgroup& cgroup, const std::vector<DeviceAccess>& allowed);

private:
    // A batch has few of them.
    std::deque<std::pair<std::vector<DeviceAccess>, base::Fd>> loaded_;
};

}  // namespace warren::cgroups
