#include "runtime/engine/views.hpp"

#include "base/units.hpp"

namespace warren::engine {

std::string_view name(GuestStatus status) {
    switch (status) {
        case GuestStatus::Creating:
            return "creating";
        case GuestStatus::Stopped:
            return "stopped";
        case GuestStatus::Starting:
            return "starting";
        case GuestStatus::Running:
            return "running";
        case GuestStatus::Paused:
            return "paused";
        case GuestStatus::Stopping:
            return "stopping";
        case GuestStatus::Destroying:
            return "destroying";
        case GuestStatus::Corrupt:
            return "corrupt";
    }
    return "unknown";
}

base::Result<GuestView> make_view(const Context& context,
                                  const base::Name& name,
                                  Situation situation) {
    GuestView view;
    view.name = name.str();
    view.status = situation.status();
    if (situation.run) {
        auto& run = *situation.run;
        view.started = std::move(run.started);
        view.cgroup = std::move(run.cgroup);
        view.notes = std::move(run.notes);
        if (run.init) {
            view.init_pid = run.init->pid;
        }
        if (situation.record && run.config) {
            view.pending = pending_changes(*run.config, situation.record->config);
        }
    } else if (situation.record) {
        view.last_run = TRY(context.store.load_last_run(name));
    }
    if (situation.record) {
        view.config = std::move(situation.record->config);
        view.created = std::move(situation.record->created);
        if (situation.record->lease) {
            view.id_base = state::Store::lease_base(*situation.record->lease);
        }
        view.weakened = spec::weakened_walls(view.config);
    }
    return view;
}

std::vector<std::string> pending_changes(const spec::GuestConfig& running,
                                         const spec::GuestConfig& wanted) {
    std::vector<std::string> pending;
    if (running.hostname != wanted.hostname) {  // set by a warren that could not change it live
        pending.emplace_back("hostname");
    }
    if (running.env != wanted.env) {
        pending.emplace_back("env");
    }
    return pending;
}

}  // namespace warren::engine
