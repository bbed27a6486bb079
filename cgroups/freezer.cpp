#include <cerrno>

#include "base/fd.hpp"
#include "cgroups/cgroup.hpp"
#include "cgroups/events.hpp"

namespace warren::cgroups {

namespace {

constexpr const char* kFreeze = "cgroup.freeze";

}  // namespace

base::Status Cgroup::freeze(std::chrono::milliseconds timeout) const {
    const auto work = [&]() -> base::Status {
        TRY(base::write_knob_at(dir(), kFreeze, "1"));
        const bool done = TRY(wait_events(
            dir(), [](const Events& events) { return events.frozen; }, timeout));
        if (done) {
            return base::ok();
        }
        // A guest of which one half runs is worse than one that runs.
        base::Error error(base::ErrorKind::Busy, "freeze: some process did not stop in time");
        auto undone = thaw();
        if (!undone) {
            error.add_secondary(std::move(undone).error());
        }
        return error;
    };
    return base::with_context(work(), "cgroup " + path_);
}

base::Status Cgroup::thaw() const {
    return base::with_context(base::write_knob_at(dir(), kFreeze, "0"), "cgroup " + path_);
}

}  // namespace warren::cgroups
