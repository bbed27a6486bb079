#include <set>

#include "runtime/engine/console_keeper.hpp"
#include "runtime/engine/recover.hpp"
#include "runtime/engine/stop.hpp"
#include "runtime/engine/teardown.hpp"

namespace warren::engine {

namespace {

// A guest whose record cannot be read: there is nothing to go by but its name.
base::Status destroy_unreadable(const Context& context, const base::Name& name) {
    const auto lock = TRY(context.store.lock(name, base::LockMode::Exclusive, kLockTimeout));
    state::RunRecord run;
    run.name = name.str();
    run.cgroup = guest_cgroup_path(context, name.str());
    TRY(release_run(context, run));
    TRY(context.store.release_leases_of(name));
    TRY(context.store.remove_guest(name));
    tidy_host(context, name);
    return base::ok();
}

base::Status destroy_stopped(const Context& context, const base::Name& name, bool force) {
    auto held = hold(context, name);
    if (!held) {
        if (held.error().kind() == base::ErrorKind::Corrupt && force) {
            return destroy_unreadable(context, name);
        }
        return std::move(held).error();
    }
    if (held.value().situation.run) {
        return base::Error(base::ErrorKind::Busy,
                           name.str() + " is " +
                               std::string(engine::name(held.value().situation.status())) +
                               "; stop it first, or use --force");
    }
    return remove_guest(context, std::move(*held.value().situation.record));
}

}  // namespace

void Engine::destroy(const std::vector<base::Name>& names, bool force, const OnOutcome& done) {
    const Context context = this->context();
    std::set<base::Name> killed;
    if (force) {
        // All are killed together; who could not be is told by the second round.
        constexpr std::size_t kBatch = 200;
        for (std::size_t begin = 0; begin < names.size(); begin += kBatch) {
            StopBatch batch(context);
            for (std::size_t i = begin; i < std::min(names.size(), begin + kBatch); ++i) {
                const auto added = batch.add(names[i]);
                if (added && added.value()) {
                    killed.insert(names[i]);
                }
            }
            batch.kill_all();
            batch.finish([](const base::Name&, const base::Status&) {});
        }
    }
    std::optional<base::Name> last;
    for (const auto& name : names) {
        const auto there = store_.has_guest(name);
        if (killed.count(name) != 0 && there && !there.value()) {
            // A --rm guest went with its run.
            done(Outcome{name, base::ok()});
            continue;
        }
        done(Outcome{name, destroy_stopped(context, name, force)});
        last = name;
    }
    const auto left = store_.run_names();
    if (left && left.value().empty() && last) {
        await_console_keeper_end(context);
        tidy_host(context, *last);
    }
}

}  // namespace warren::engine
