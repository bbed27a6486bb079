// A guest as it really is. Whoever meets one whose owner died half-way brings it back to a whole state first.
#pragma once

#include <optional>
#include <vector>

#include "base/ids.hpp"
#include "base/lock.hpp"
#include "runtime/engine/context.hpp"
#include "runtime/engine/view.hpp"
#include "runtime/state/records.hpp"

namespace warren::engine {

// Both absent: there is no such guest.
struct Situation {
    std::optional<state::GuestRecord> record;
    std::optional<state::RunRecord> run;

    [[nodiscard]] bool exists() const { return record.has_value(); }

    // With both: what is running, not what was edited since.
    [[nodiscard]] const spec::GuestConfig& running_config() const {
        return run->config ? *run->config : record->config;
    }

    [[nodiscard]] GuestStatus status() const;
};

[[nodiscard]] GuestStatus status_of(const state::RunRecord& run);

// The first process of a run, when it is of this boot and lives.
[[nodiscard]] base::Result<std::optional<base::PidRef>> live_init(const Context& context,
                                                                  const state::RunRecord& run);

// With the exclusive lock held: undoes or completes what a dead owner left, and says what is there now. Only Ready
// guests, and runs that are Running with a live init, come back.
[[nodiscard]] base::Result<Situation> recover(const Context& context, const base::Name& name);

// Without a lock, changing nothing but an unreadable record's place: a guest that is as its records say. Nothing when
// observe() has to look closer. May be called by several threads at once.
[[nodiscard]] base::Result<std::optional<Situation>> glance(const Context& context,
                                                            const base::Name& name);

// The same by the run record alone: of a guest that runs, whose record has a summary of what guest.json is now.
[[nodiscard]] base::Result<std::optional<state::RunRecord>> glance_at_run(const Context& context,
                                                                          const base::Name& name);

// Without a lock: what the records say now; half-way states and dead runs are recovered when the lock is free, and
// reported as they stand when somebody is at it.
[[nodiscard]] base::Result<Situation> observe(const Context& context, const base::Name& name);

// A guest locked for changing, recovered. NotFound-like usage error when it does not exist.
struct Held {
    base::FileLock lock;
    Situation situation;
};

[[nodiscard]] base::Result<Held> hold(const Context& context,
                                      const base::Name& name,
                                      std::chrono::milliseconds timeout = kLockTimeout);

// Removes what a command that was killed left of guests that are no more: the files of their locks, and what recover()
// finds. `guests` are the names there are, sorted; one scan. Best effort: what somebody is at work on stays.
void sweep(const Context& context, const std::vector<base::Name>& guests);

[[nodiscard]] base::Error unknown_guest(const base::Name& name);

}  // namespace warren::engine
