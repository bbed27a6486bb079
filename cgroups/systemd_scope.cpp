#include "cgroups/systemd_scope.hpp"

#include <cstdint>

#include "cgroups/systemd_bus.hpp"

namespace warren::cgroups {

base::Status start_scope(const std::string& unit,
                         pid_t process,
                         std::chrono::milliseconds timeout) {
    // The pids limit is each guest's own, and a scope that failed must not keep its name from the next.
    const std::vector<UnitProperty> properties = {
        {"Description", std::string("warren guests")},
        {"Slice", std::string(kSlice)},
        {"Delegate", true},
        {"TasksMax", UINT64_MAX},
        {"CollectMode", std::string("inactive-or-failed")},
    };
    auto bus =
        TRY(base::with_context(SystemdBus::connect(SystemdManager::Host), "start scope " + unit));
    return bus.start_transient(unit, properties, {static_cast<std::uint32_t>(process)}, timeout);
}

}  // namespace warren::cgroups
