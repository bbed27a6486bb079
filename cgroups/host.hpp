// What kind of cgroup host this is, found once by reading /proc/self/mountinfo, /proc/self/cgroup and the tree.
#pragma once

#include <map>
#include <set>
#include <string>
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
    bool pressure = false;                        // PSI
    bool kill = false;                            // cgroup.kill (5.14)
};

// `root` is "/" but in tests.
[[nodiscard]] base::Result<Host> probe_host(const std::string& root = "/");

// Refuses limits whose controller this host's v2 tree does not have: one Unsupported error that says which
// controller, where it is instead, and what to do.
[[nodiscard]] base::Status check_limits(const Host& host, const Limits& limits);

}  // namespace warren::cgroups
