// Entering a running guest: for exec, for the stop commands of inits, for asking whether it is up.
#pragma once

#include "isolation/launcher.hpp"
#include "runtime/engine/context.hpp"
#include "runtime/engine/launch_plan.hpp"
#include "runtime/state/records.hpp"

namespace warren::engine {

// The guest's first process. Busy when it has ended since the record was read.
[[nodiscard]] base::Result<base::PidRef> open_init(const state::RunRecord& run);

[[nodiscard]] base::Result<isolation::Launched> join_running(const Context& context,
                                                             const state::RunRecord& run,
                                                             const JoinRequest& request,
                                                             isolation::StdioFds stdio);

}  // namespace warren::engine
