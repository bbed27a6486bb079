// Whether a machine guest has finished booting.
#pragma once

#include <chrono>

#include "base/ids.hpp"
#include "runtime/engine/context.hpp"

namespace warren::engine {

// systemd: until `systemctl is-system-running` says running or degraded. sysvinit and openrc: until a runlevel is
// recorded; runit: until its supervisor runs. Other guests are ready once they run.
[[nodiscard]] base::Status await_ready(const Context& context,
                                       const base::Name& name,
                                       std::chrono::steady_clock::time_point deadline);

}  // namespace warren::engine
