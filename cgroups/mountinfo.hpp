// The mounts of control groups in proc_pid_mountinfo(5).
#pragma once

#include <cstddef>
#include <optional>
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

// Those that a path leads to: what another mount covers, at its place or above it, is left out. So are lines that are
// not understood.
[[nodiscard]] std::vector<CgroupMount> parse_cgroup_mounts(std::string_view mountinfo);

// Where the resctrl file system is.
[[nodiscard]] std::optional<std::string> find_resctrl_mount(std::string_view mountinfo);

}  // namespace warren::cgroups
