// cgroup.events: "populated" and "frozen", waited for by poll(2) with POLLPRI.
#pragma once

#include <chrono>
#include <string_view>

#include "base/result.hpp"

namespace warren::cgroups {

struct Events {
    bool populated = false;
    bool frozen = false;
};

[[nodiscard]] Events parse_events(std::string_view text);

// A removed cgroup is neither populated nor frozen.
[[nodiscard]] base::Result<Events> read_events(int dir);

// False when the time is over. A removed cgroup fulfils every `wanted` that an empty Events does.
[[nodiscard]] base::Result<bool> wait_events(int dir,
                                             bool (*wanted)(const Events&),
                                             std::chrono::milliseconds timeout);

}  // namespace warren::cgroups
