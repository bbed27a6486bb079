// What every verb works with; the parts are owned by the Engine.
#pragma once

#include <chrono>
#include <string>

#include "base/log.hpp"
#include "cgroups/cgroup.hpp"
#include "runtime/engine/engine.hpp"
#include "runtime/engine/faults.hpp"
#include "runtime/spec/host_caps.hpp"
#include "runtime/state/store.hpp"

namespace warren::engine {

struct Context {
    const Paths& paths;
    const state::Store& store;
    const spec::HostCaps& host;
    const std::string& boot_id;  // of the kernel that runs now
    const base::Log& log;
    Faults& faults;
};

// How long a verb waits for another that holds the guest's lock. Longer than a stop with its default time.
inline constexpr std::chrono::milliseconds kLockTimeout{60'000};
// How long killed processes may take to be gone.
inline constexpr std::chrono::milliseconds kKillTimeout{20'000};

// One cgroup parent per RUN directory, so that two warrens on a host do not meet.
[[nodiscard]] cgroups::ParentConfig parent_config(const Paths& paths);
// The guest's cgroup below the v2 mount point.
[[nodiscard]] std::string guest_cgroup_path(const Context& context, const std::string& name);

}  // namespace warren::engine
