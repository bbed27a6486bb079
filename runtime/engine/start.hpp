// Starting a guest that nobody is attached to.
#pragma once

#include "runtime/engine/launch.hpp"
#include "runtime/state/records.hpp"

namespace warren::engine {

// Machines have a console; commands when they asked for a terminal.
[[nodiscard]] bool wants_terminal(const spec::GuestConfig& config);

// The caller holds the lock; the guest is stopped; `config` is its record's. Output goes to the guest's log.
[[nodiscard]] base::Result<state::RunRecord> start_detached(LaunchSession& session,
                                                            const state::GuestRecord& record,
                                                            const spec::ValidatedConfig& config);

}  // namespace warren::engine
