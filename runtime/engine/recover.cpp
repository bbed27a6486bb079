#include "runtime/engine/recover.hpp"

#include <algorithm>
#include <iterator>

#include "runtime/engine/teardown.hpp"

namespace warren::engine {

namespace {

// The run record settled: gone, or Running with a live init.
base::Result<std::optional<state::RunRecord>> settle_run(const Context& context,
                                                         const base::Name& name) {
    auto run = TRY(context.store.load_run(name));
    if (!run) {
        return std::optional<state::RunRecord>{};
    }
    if (run->boot_id != context.boot_id) {
        run->cgroup.clear();  // died with its kernel
        TRY(finish_run(context, *run, std::nullopt, "lost in a reboot"));
        return std::optional<state::RunRecord>{};
    }
    switch (run->phase) {
        case state::RunPhase::Starting:
            if (run->remove_on_stop) {
                TRY(finish_run(context, *run, std::nullopt, "killed"));
            } else {
                TRY(release_run(context, *run));
            }
            return std::optional<state::RunRecord>{};
        case state::RunPhase::Stopping:
            TRY(finish_run(context, *run, std::nullopt, "stopped"));
            return std::optional<state::RunRecord>{};
        case state::RunPhase::Running:
            if (TRY(live_init(context, *run))) {
                return run;
            }
            TRY(finish_run(context, *run, std::nullopt, "exited"));
            return std::optional<state::RunRecord>{};
    }
    return run;
}

bool is_alive(const Context& context, const state::RunRecord& run) {
    if (run.phase != state::RunPhase::Running) {
        return false;
    }
    const auto init = live_init(context, run);
    return init && init.value();
}

bool is_whole(const Context& context, const Situation& situation) {
    if (situation.record && situation.record->phase != state::GuestPhase::Ready) {
        return false;
    }
    if (!situation.run) {
        // A --rm guest without a run has none before it, and none after.
        return !situation.record || !situation.record->config.remove_on_stop;
    }
    return situation.record && is_alive(context, *situation.run);
}

base::Result<Situation> load(const Context& context, const base::Name& name) {
    Situation situation;
    situation.record = TRY(context.store.load_guest(name, state::Extra::Drop));
    situation.run = TRY(context.store.load_run(name, state::Extra::Drop));
    return situation;
}

}  // namespace

GuestStatus Situation::status() const {
    if (record && record->phase == state::GuestPhase::Creating) {
        return GuestStatus::Creating;
    }
    if (record && record->phase == state::GuestPhase::Destroying) {
        return GuestStatus::Destroying;
    }
    return run ? status_of(*run) : GuestStatus::Stopped;
}

GuestStatus status_of(const state::RunRecord& run) {
    switch (run.phase) {
        case state::RunPhase::Starting:
            return GuestStatus::Starting;
        case state::RunPhase::Stopping:
            return GuestStatus::Stopping;
        case state::RunPhase::Running:
            break;
    }
    return run.paused ? GuestStatus::Paused : GuestStatus::Running;
}

base::Result<std::optional<base::PidRef>> live_init(const Context& context,
                                                    const state::RunRecord& run) {
    if (!run.init || run.boot_id != context.boot_id) {
        return std::optional<base::PidRef>();
    }
    return base::PidRef::open(*run.init);
}

base::Result<Situation> recover(const Context& context, const base::Name& name) {
    Situation situation;
    situation.run = TRY(settle_run(context, name));
    situation.record = TRY(context.store.load_guest(name));
    if (!situation.record) {
        if (situation.run) {
            TRY(release_run(context, *situation.run));
            situation.run.reset();
        }
        if (TRY(context.store.has_guest(name))) {
            TRY(cgroups::remove_cgroup(
                context.host.cgroup, guest_cgroup_path(context, name.str()), kKillTimeout));
            TRY(context.store.remove_guest(name));
        }
        tidy_host(context, name);
        return situation;
    }
    if (situation.record->phase != state::GuestPhase::Ready ||
        (situation.record->config.remove_on_stop && !situation.run)) {
        if (situation.run) {
            TRY(release_run(context, *situation.run));
            situation.run.reset();
        }
        TRY(remove_guest(context, *situation.record));
        situation.record.reset();
    }
    return situation;
}

base::Result<std::optional<Situation>> glance(const Context& context, const base::Name& name) {
    auto situation = TRY(load(context, name));
    if (is_whole(context, situation) && situation.exists()) {
        return std::optional(std::move(situation));
    }
    return std::optional<Situation>();
}

base::Result<std::optional<state::RunRecord>> glance_at_run(const Context& context,
                                                            const base::Name& name) {
    auto run = TRY(context.store.load_run(name, state::Extra::Drop));
    if (run && run->summary && is_alive(context, *run) &&
        TRY(context.store.guest_version(name)) == run->summary->of) {
        return run;
    }
    return std::optional<state::RunRecord>();
}

base::Result<Situation> observe(const Context& context, const base::Name& name) {
    auto situation = TRY(load(context, name));
    if (is_whole(context, situation) && situation.exists()) {
        return situation;
    }
    auto lock = context.store.lock(name, base::LockMode::Exclusive, std::chrono::milliseconds{0});
    if (!lock) {
        if (lock.error().kind() == base::ErrorKind::Busy) {
            return situation;
        }
        return std::move(lock).error();
    }
    return recover(context, name);
}

void sweep(const Context& context, const std::vector<base::Name>& guests) {
    const auto locks = context.store.lock_names();
    if (!locks) {
        return;
    }
    std::vector<base::Name> ownerless;
    std::set_difference(locks.value().begin(),
                        locks.value().end(),
                        guests.begin(),
                        guests.end(),
                        std::back_inserter(ownerless));
    for (const auto& name : ownerless) {
        const auto lock =
            context.store.lock(name, base::LockMode::Exclusive, std::chrono::milliseconds{0});
        if (!lock) {
            continue;
        }
        if (const auto recovered = recover(context, name); !recovered) {
            context.log.debug("remains of " + name.str() + ": " + recovered.error().describe());
        }
    }
}

base::Error unknown_guest(const base::Name& name) {
    return {base::ErrorKind::Usage, "no guest named " + name.str()};
}

base::Result<Held> hold(const Context& context,
                        const base::Name& name,
                        std::chrono::milliseconds timeout) {
    // Asked first so that a mistyped name leaves no lock file behind.
    if (!TRY(context.store.has_guest(name)) && !TRY(context.store.load_run(name))) {
        return unknown_guest(name);
    }
    auto lock = TRY(context.store.lock(name, base::LockMode::Exclusive, timeout));
    auto situation = TRY(recover(context, name));
    if (!situation.exists()) {
        tidy_host(context, name);
        return unknown_guest(name);
    }
    return Held{std::move(lock), std::move(situation)};
}

}  // namespace warren::engine
