// The cgroup mounts in proc_pid_mountinfo(5).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace warren::cgroups {

// A host that has let its mount table grow has a long one; ours adds nothing to it.
inline constexpr std::size_t kMountinfoBytesMax = std::size_t{64} << 20U;

struct CgroupMount {
    bool unified = false;  // v2
    std::string root;      // what of the hierarchy is mounted here
    std::string mount_point;
    std::string options;  // of the hierarchy: for v1 its controllers, comma-separated

    // A v1 mount of controllers: not a named hierarchy such as systemd's.
    [[nodiscard]] bool controllers() const;
};

// Mounts that a later mount on the same place covers are left out. Lines that are not understood too.
[[nodiscard]] std::vector<CgroupMount> parse_cgroup_mounts(std::string_view mountinfo);

}  // namespace warren::cgroups
