// What every verb that touches containers works with.
#pragma once

#include <chrono>

#include "base/log.hpp"
#include "cgroups/host.hpp"
#include "cgroups/placement.hpp"
#include "runtime/engine/faults.hpp"
#include "runtime/engine/oci/engine.hpp"
#include "runtime/state/oci/store.hpp"

namespace warren::engine::oci {

struct Context {
    const Settings& settings;
    const base::Log& log;
    Faults& faults;
    state::oci::Store store;
    cgroups::Host host;
    bool rootless = false;

    // `create`: make ROOT when it is absent.
    [[nodiscard]] static base::Result<Context> open(const Settings& settings,
                                                    const base::Log& log,
                                                    Faults& faults,
                                                    bool create);
};

// How long a verb waits for another that holds the container's lock: hooks may take their time.
inline constexpr std::chrono::milliseconds kLockTimeout{60'000};
// How long killed processes may take to be gone.
inline constexpr std::chrono::milliseconds kKillTimeout{20'000};

[[nodiscard]] cgroups::CgroupRecord cgroup_record(const state::oci::Record& record);
void set_cgroup_record(state::oci::Record& record, const cgroups::CgroupRecord& cgroup);
// As long as it is not ours: nothing in there is to be signalled, and nothing to be removed.
void forget_cgroup_of_others(state::oci::Record& record);

}  // namespace warren::engine::oci
