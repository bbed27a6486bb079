#include "runtime/engine/recover.hpp"

#include "runtime/engine/teardown.hpp"

namespace warren::engine {

namespace {

base::Result<bool> init_lives(const state::RunRecord& run) {
    if (!run.init) {
        return false;
    }
    return TRY(base::PidRef::open(*run.init)).has_value();
}

// The run record settled: gone, or Running with a live init.
base::Result<std::optional<state::RunRecord>> settle_run(const Context& context,
                                                         const base::Name& name) {
    auto run = TRY(context.store.load_run(name));
    if (!run) {
        return std::optional<state::RunRecord>{};
    }
    if (run->boot_id != TRY(base::boot_id())) {
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
            if (TRY(init_lives(*run))) {
                return run;
            }
            TRY(finish_run(context, *run, std::nullopt, "exited"));
            return std::optional<state::RunRecord>{};
    }
    return run;
}

bool is_whole(const Situation& situation) {
    if (situation.record && situation.record->phase != state::GuestPhase::Ready) {
        return false;
    }
    if (!situation.run) {
        // A --rm guest without a run has none before it, and none after.
        return !situation.record || !situation.record->config.remove_on_stop;
    }
    if (!situation.record || situation.run->phase != state::RunPhase::Running) {
        return false;
    }
    const auto boot = base::boot_id();
    const auto lives = init_lives(*situation.run);
    return boot && situation.run->boot_id == boot.value() && lives && lives.value();
}

base::Result<Situation> load(const Context& context, const base::Name& name) {
    Situation situation;
    situation.record = TRY(context.store.load_guest(name));
    situation.run = TRY(context.store.load_run(name));
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
    if (!run) {
        return GuestStatus::Stopped;
    }
    switch (run->phase) {
        case state::RunPhase::Starting:
            return GuestStatus::Starting;
        case state::RunPhase::Stopping:
            return GuestStatus::Stopping;
        case state::RunPhase::Running:
            break;
    }
    return run->paused ? GuestStatus::Paused : GuestStatus::Running;
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
        TRY(remove_guest(context, std::move(*situation.record)));
        situation.record.reset();
    }
    return situation;
}

base::Result<Situation> observe(const Context& context, const base::Name& name) {
    auto situation = TRY(load(context, name));
    if (is_whole(situation) && (situation.record || situation.run)) {
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

base::Error unknown_guest(const base::Name& name) {
    return {base::ErrorKind::Usage, "no guest named " + name.str()};
}

base::Result<Held> hold(const Context& context, const base::Name& name) {
    // Asked first so that a mistyped name leaves no lock file behind.
    if (!TRY(context.store.has_guest(name)) && !TRY(context.store.load_run(name))) {
        return unknown_guest(name);
    }
    auto lock = TRY(context.store.lock(name, base::LockMode::Exclusive, kLockTimeout));
    auto situation = TRY(recover(context, name));
    if (!situation.exists()) {
        tidy_host(context, name);
        return unknown_guest(name);
    }
    return Held{std::move(lock), std::move(situation)};
}

}  // namespace warren::engine
