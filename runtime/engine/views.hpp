// Making the values of view.hpp from records.
#pragma once

#include "base/ids.hpp"
#include "runtime/engine/context.hpp"
#include "runtime/engine/recover.hpp"
#include "runtime/engine/view.hpp"

namespace warren::engine {

[[nodiscard]] base::Result<GuestView> make_view(const Context& context,
                                                const base::Name& name,
                                                Situation situation);

// Of a guest that runs and whose run record has a summary.
[[nodiscard]] GuestBrief make_brief(state::RunRecord run, state::Summary summary);

// Of guest.json as it is now; nothing for a guest that has none (remove_on_stop).
[[nodiscard]] base::Result<std::optional<state::Summary>> summarize(
    const Context& context, const state::GuestRecord& record);

// What differs between the config a guest runs with and the one it has by now, in the command line's words, and waits
// for a restart.
[[nodiscard]] std::vector<std::string> pending_changes(const spec::GuestConfig& running,
                                                       const spec::GuestConfig& wanted);

}  // namespace warren::engine
