#include <algorithm>
#include <csignal>

#include "runtime/engine/console_keeper.hpp"
#include "runtime/engine/recover.hpp"
#include "runtime/engine/teardown.hpp"
#include "runtime/engine/workers.hpp"

namespace warren::engine {

namespace {

// As many as one process kills before it waits for the first: taking guests apart, the kernel sleeps more than it works.
constexpr std::size_t kSlice = 32;

// Locked, recorded as one to go, and killed.
struct Doomed {
    base::FileLock lock;
    std::optional<state::GuestRecord> record;  // absent: nobody can read it
    std::optional<state::RunRecord> run;
    std::optional<base::PidRef> init;
};

// Forced, a record that cannot be read is none: there is the name to go by.
template <typename T>
base::Result<std::optional<T>> readable(base::Result<std::optional<T>> loaded, bool force) {
    if (!loaded && force && loaded.error().kind() == base::ErrorKind::Corrupt) {
        return std::optional<T>();
    }
    return loaded;
}

base::Result<base::FileLock> lock_existing(const Context& context,
                                           const base::Name& name,
                                           std::chrono::milliseconds timeout) {
    // Asked first so that a mistyped name leaves no lock file behind.
    if (!TRY(context.store.has_guest(name)) && !TRY(context.store.load_run(name))) {
        return unknown_guest(name);
    }
    return context.store.lock(name, base::LockMode::Exclusive, timeout);
}

// Killed is only what is locked: so nobody starts it anew under its name meanwhile, and one that another command is at
// work on does not die under its hands. Nothing is recovered first, for all of it goes.
base::Result<Doomed> doom(const Context& context,
                          const base::Name& name,
                          bool force,
                          base::FileLock lock) {
    auto record = context.store.load_guest(name, state::Extra::Drop);
    if (record && (!record.value() || record.value()->phase == state::GuestPhase::Creating)) {
        TRY(recover(context, name));
        tidy_host(context, name);
        return unknown_guest(name);
    }
    Situation found;
    found.record = TRY(readable(std::move(record), force));
    found.run = TRY(readable(context.store.load_run(name, state::Extra::Drop), force));
    auto init = found.run ? TRY(live_init(context, *found.run)) : std::nullopt;
    if (init && !force && found.run->phase == state::RunPhase::Running) {
        return base::Error(base::ErrorKind::Busy,
                           name.str() + " is " + std::string(engine::name(found.status())) +
                               "; stop it first, or use --force");
    }
    TRY(begin_removal(context, name));
    if (init) {
        // With it dies all that is in its PID namespace; should that not be all, the cgroup's removal kills the rest.
        TRY(init->signal(SIGKILL));
        context.faults.hit("destroy: killed");
    }
    return Doomed{std::move(lock), std::move(found.record), std::move(found.run), std::move(init)};
}

base::Status remove(const Context& context, const base::Name& name, Doomed doomed) {
    if (doomed.init) {
        (void)TRY(doomed.init->wait_exit(kKillTimeout));
    }
    state::RunRecord run;
    run.name = name.str();
    if (doomed.run && doomed.run->boot_id == context.boot_id) {
        run.cgroup = doomed.run->cgroup;
    }
    TRY(release_run(context, run));
    if (doomed.record) {
        TRY(finish_removal(context, *doomed.record));
    } else {
        TRY(cgroups::remove_cgroup(
            context.host.cgroup, guest_cgroup_path(context, name.str()), kKillTimeout));
        TRY(context.store.release_leases_of(name));
        TRY(context.store.remove_guest(name));
    }
    TRY(context.store.remove_lock(name, std::move(doomed.lock)));
    context.faults.hit("destroy: record removed");
    return base::ok();
}

base::Status destroy_one(const Context& context, const base::Name& name, bool force) {
    auto lock = TRY(lock_existing(context, name, kLockTimeout));
    return remove(context, name, TRY(doom(context, name, force, std::move(lock))));
}

// Kills all before the first is waited for. One that another command is at work on is waited for when the others are
// gone.
void destroy_slice(const Context& context,
                   const std::vector<base::Name>& names,
                   bool force,
                   std::pair<std::size_t, std::size_t> range,
                   const OnItem& tell) {
    std::vector<std::size_t> busy;
    std::vector<std::pair<std::size_t, Doomed>> dying;
    for (std::size_t index = range.first; index < range.second; ++index) {
        auto lock = lock_existing(context, names[index], std::chrono::milliseconds{0});
        if (!lock && lock.error().kind() == base::ErrorKind::Busy) {
            busy.push_back(index);
            continue;
        }
        auto doomed = lock ? doom(context, names[index], force, std::move(lock).value())
                           : base::Result<Doomed>(std::move(lock).error());
        if (doomed) {
            dying.emplace_back(index, std::move(doomed).value());
        } else {
            tell(index, std::move(doomed).error());
        }
    }
    for (auto& [index, doomed] : dying) {
        tell(index, remove(context, names[index], std::move(doomed)));
    }
    for (const std::size_t index : busy) {
        tell(index, destroy_one(context, names[index], force));
    }
}

}  // namespace

void Engine::destroy(const std::vector<base::Name>& names, bool force, const OnOutcome& done) {
    if (names.empty()) {
        return;
    }
    const Context context = this->context();
    const std::size_t workers = worker_count(names.size());
    run_slices_in_workers(
        names.size(),
        workers,
        std::min(kSlice, names.size() / workers + 1),
        [&](std::size_t begin, std::size_t end, const OnItem& tell) {
            destroy_slice(context, names, force, {begin, end}, tell);
        },
        [&](std::size_t index, base::Status status) {
            done(Outcome{names[index], std::move(status)});
        });
    const auto left = store_.run_names();
    if (left && left.value().empty()) {
        await_console_keeper_end(context);
    }
    if (const auto guests = store_.guest_names(); guests && names.size() > 1) {
        sweep(context, guests.value());
    }
    tidy_host(context, names.back());
}

}  // namespace warren::engine
