// What kind of cgroup host this is, found once by looking at the mounts, /proc/self/cgroup and the tree.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cgroups/limits.hpp"

namespace warren::cgroups {

enum class HostMode : std::uint8_t {
    Unified,  // v2 at /sys/fs/cgroup with its controllers
    Hybrid,   // v1 controllers; the v2 tree tracks, freezes and kills only
    Absent,   // no v2 tree: guests cannot be started
};

// A value.
struct Host {
    HostMode mode = HostMode::Absent;
    std::string mount_point;                      // of the v2 tree
    std::string own_path;                         // our own cgroup, "/..."
    bool systemd = false;                         // systemd is PID 1
    std::set<Controller> controllers;             // usable below the root of the v2 tree
    std::map<Controller, std::string> elsewhere;  // Hybrid: the v1 mount that has the controller
    bool kill = false;                            // cgroup.kill (5.14)
};

// `root` is "/" but in tests. Where the v2 tree stands whole at /sys/fs/cgroup, one mount is asked for by itself
// (statmount(2), Linux 6.8): /proc/self/mountinfo grows with the host. Otherwise, and before, that is read.
[[nodiscard]] base::Result<Host> probe_host(const std::string& root = "/");

// The v1 mount of a controller that the v2 tree does not have, for messages; none when nothing mounts it.
[[nodiscard]] std::optional<std::string> v1_mount(const Host& host, std::string_view controller);

// Whether the kernel tells of pressure (PSI). One with psi=0 has the files but answers EOPNOTSUPP.
[[nodiscard]] bool has_pressure(const std::string& root = "/");

// What there is to say on a host whose mode is Absent.
[[nodiscard]] base::Error absent_error();

// Refuses limits whose controller this host's v2 tree does not have: one Unsupported error that says which
// controller, where it is instead, and what to do.
[[nodiscard]] base::Status check_limits(const Host& host, const Limits& limits);

}  // namespace warren::cgroups
