// The plan of a launch: pure, from a validated config and what was looked up for it. Printed by --dry-run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cgroups/cgroup.hpp"
#include "isolation/plan.hpp"
#include "isolation/seccomp.hpp"
#include "runtime/spec/host_caps.hpp"
#include "runtime/spec/validate.hpp"

namespace warren::engine {

// What a plan needs to know of the host beyond the config; looked up by look_up() and nothing else.
struct Lookups {
    std::vector<isolation::DeviceRule> devices;  // of --device, in order
    std::vector<bool> bind_is_directory;         // of --mount, in order
};

[[nodiscard]] base::Result<Lookups> look_up(const spec::GuestConfig& config);

struct LaunchPlan {
    isolation::GuestSpec guest;
    isolation::SeccompConfig seccomp;
    std::vector<isolation::DeviceRule> devices;
    std::vector<cgroups::DeviceAccess> device_access;
    std::optional<isolation::IdMap> id_map;  // absent: the host's users
    std::uint32_t root_uid = 0;              // the guest's root on the host
    std::uint32_t root_gid = 0;
};

// Of the first time namespace, from which the offsets of all others count; nanoseconds.
struct Clocks {
    std::int64_t monotonic = 0;
    std::int64_t boottime = 0;
    // clock_gettime(2) less our own offsets: we may run in a guest ourselves.
    [[nodiscard]] static Clocks now();
    // `offsets`: the text of /proc/self/timens_offsets.
    [[nodiscard]] Clocks without(std::string_view offsets) const;
};

struct PlanSite {
    bool exec_enters_time = false;  // see spec::HostCaps
    // The host's clocks: those of the guest begin at 0. Absent: a plan that is only shown.
    std::optional<Clocks> clocks;
    std::optional<std::uint32_t> id_base;
    bool terminal = false;  // the first process gets a pty
};

[[nodiscard]] base::Result<LaunchPlan> plan_launch(const spec::ValidatedConfig& config,
                                                   const Lookups& lookups,
                                                   const PlanSite& site);

// What joins a running guest, from the config it runs with. `env` are the caller's additions.
struct JoinRequest {
    std::vector<std::string> command;
    std::vector<std::string> env;
    std::string cwd;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::vector<std::uint32_t> groups;
    std::string home;
    bool terminal = false;
    isolation::WindowSize window;
};

[[nodiscard]] isolation::JoinSpec plan_exec(const spec::GuestConfig& config,
                                            const JoinRequest& request);
[[nodiscard]] isolation::SeccompConfig plan_seccomp(const spec::GuestConfig& config);

// Text for people: limits, ids, mounts, devices, then the child's recipe line by line.
[[nodiscard]] base::Result<std::string> describe(const LaunchPlan& plan,
                                                 const spec::GuestConfig& config);

}  // namespace warren::engine
