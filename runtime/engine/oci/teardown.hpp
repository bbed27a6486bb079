// The way back: what create made is unmade from the record, in reverse. Everything here may run twice; what is gone
// already is success.
#pragma once

#include <string>

#include "base/pidref.hpp"
#include "base/result.hpp"
#include "runtime/engine/oci/context.hpp"
#include "runtime/state/oci/store.hpp"

namespace warren::engine::oci {

// SIGKILL to the first process and to all of the cgroup. Needs no lock.
[[nodiscard]] base::Status kill_container(const Context& context, const state::oci::Record& record);

// Kills what runs, removes the cgroup (and scope), the directory. `dir` holds the exclusive lock.
[[nodiscard]] base::Status destroy_container(const Context& context,
                                             state::oci::ContainerDir dir,
                                             state::oci::Record record);

// The same, and then the poststop hooks of the config's copy, when there was a process: a failure of theirs is a warning.
[[nodiscard]] base::Status remove_container(const Context& context,
                                            state::oci::ContainerDir dir,
                                            state::oci::Record record);

// The same for one that was run in the foreground and has ended: somebody else may have removed it by now, and another
// one, with another first process, have its id.
[[nodiscard]] base::Status remove_ended(const Context& context,
                                        const std::string& id,
                                        const base::PidIdentity& init);

}  // namespace warren::engine::oci
