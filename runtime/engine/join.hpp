// Entering a running guest: for exec, for the stop commands of inits, for asking whether it is up.
#pragma once

#include "isolation/launcher.hpp"
#include "runtime/engine/context.hpp"
#include "runtime/engine/launch_plan.hpp"
#include "runtime/state/records.hpp"

namespace warren::engine {

// The guest's first process. Busy when it has ended since the record was read.
[[nodiscard]] base::Result<base::PidRef> open_init(const state::RunRecord& run);

// The guest's root as the host sees it: the first line of user_namespaces(7)'s uid_map is "0 ID COUNT".
[[nodiscard]] base::Result<std::uint32_t> id_of_root(const base::PidRef& init);

// The reason why `run` could not be entered: where it is over, or being ended, by now, that, whatever failed then.
[[nodiscard]] base::Error entering_error(const Context& context,
                                         const state::RunRecord& run,
                                         base::Error failure);

// Enters `run`, of which `config` says what is running.
[[nodiscard]] base::Result<isolation::Launched> join_running(const Context& context,
                                                             const state::RunRecord& run,
                                                             const spec::GuestConfig& config,
                                                             const JoinRequest& request,
                                                             isolation::StdioFds stdio);

}  // namespace warren::engine
