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

namespace {

void show_run(GuestBrief& brief, state::RunRecord& run) {
    brief.started = std::move(run.started);
    brief.cgroup = std::move(run.cgroup);
    if (run.init) {
        brief.init_pid = run.init->pid;
    }
}

void show_lease(GuestBrief& brief, const std::optional<std::uint32_t>& lease) {
    if (lease) {
        brief.id_base = state::Store::lease_base(*lease);
    }
}

}  // namespace

GuestBrief make_brief(state::RunRecord run, state::Summary summary) {
    GuestBrief brief;
    show_run(brief, run);
    show_lease(brief, summary.lease);
    brief.image = std::move(summary.image);
    brief.weakened = std::move(summary.weakened);
    brief.name = std::move(run.name);
    brief.status = status_of(run);
    return brief;
}

base::Result<std::optional<state::Summary>> summarize(const Context& context,
                                                      const state::GuestRecord& record) {
    const auto version =
        TRY(context.store.guest_version(TRY(base::Name::parse_guest(record.name))));
    if (!version) {
        return std::optional<state::Summary>();
    }
    state::Summary summary;
    summary.of = *version;
    summary.image = record.config.image;
    summary.lease = record.lease;
    summary.weakened = spec::weakened_walls(record.config);
    return std::optional(std::move(summary));
}

base::Result<GuestView> make_view(const Context& context,
                                  const base::Name& name,
                                  Situation situation) {
    GuestView view;
    view.name = name.str();
    view.status = situation.status();
    if (situation.run) {
        auto& run = *situation.run;
        show_run(view, run);
        view.notes = std::move(run.notes);
        if (situation.record && run.config) {
            view.pending = pending_changes(*run.config, situation.record->config);
        }
    } else if (situation.record) {
        view.last_run = TRY(context.store.load_last_run(name));
    }
    if (situation.record) {
        view.config = std::move(situation.record->config);
        view.image = view.config.image;
        view.created = std::move(situation.record->created);
        show_lease(view, situation.record->lease);
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
