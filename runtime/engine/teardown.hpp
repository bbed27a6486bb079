// The way back: what start and create made is unmade from the records, in reverse. Everything here may run twice;
// what is already gone is success. The caller holds the guest's exclusive lock.
#pragma once

#include <optional>
#include <string>

#include "runtime/engine/context.hpp"
#include "runtime/state/records.hpp"

namespace warren::engine {

// Kills what still runs in the guest's cgroup, removes the cgroup and then the run record. The mounts and network of
// a guest die with its last process.
[[nodiscard]] base::Status release_run(const Context& context, const state::RunRecord& run);

// release_run() after a run that got as far as running: remembers how it ended, and destroys a guest that was only
// for this run (--rm).
[[nodiscard]] base::Status finish_run(const Context& context,
                                      const state::RunRecord& run,
                                      std::optional<int> exit_code,
                                      const std::string& reason);

// Removes a guest with its disk, lease and record: from the first half on it is destroyed whoever dies, the second does
// it, killing what still runs in its cgroup. tidy_host() is the caller's, or once for many.
[[nodiscard]] base::Status begin_removal(const Context& context, const base::Name& name);
[[nodiscard]] base::Status finish_removal(const Context& context, const state::GuestRecord& record);
// Both halves, and tidy_host().
[[nodiscard]] base::Status remove_guest(const Context& context, const state::GuestRecord& record);

// After the last guest of this RUN is gone: the cgroup parent and RUN's own directories.
void tidy_host(const Context& context, const base::Name& name);

}  // namespace warren::engine
