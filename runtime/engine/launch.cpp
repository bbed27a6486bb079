#include "runtime/engine/launch.hpp"

#include <algorithm>

#include "base/scope_exit.hpp"
#include "base/units.hpp"
#include "images/rootfs.hpp"
#include "isolation/mounts.hpp"
#include "runtime/engine/teardown.hpp"
#include "runtime/engine/views.hpp"

namespace warren::engine {

base::Result<int> LaunchSession::cgroup_parent_dir() {
    if (!parent_) {
        parent_.emplace(
            TRY(cgroups::Parent::ensure(context_.host.cgroup, parent_config(context_.paths))));
    }
    return parent_->dir();
}

base::Result<const isolation::SeccompProgram*> LaunchSession::filter(
    const isolation::SeccompConfig& config) {
    const auto found = std::find_if(
        filters_.begin(), filters_.end(), [&](const auto& entry) { return entry.first == config; });
    if (found != filters_.end()) {
        return &found->second;
    }
    if (!cache_) {
        cache_ = TRY(context_.store.cache_dir());
    }
    return &filters_.emplace_back(config, TRY(isolation::load_seccomp(config, cache_.get())))
                .second;
}

base::Result<int> LaunchSession::image_root(const std::string& image) {
    auto found = image_roots_.find(image);
    if (found == image_roots_.end()) {
        if (!images_) {
            images_.emplace(TRY(images::ImageStore::open(context_.store.root_dir())));
        }
        const auto name = TRY(base::Name::parse_image(image));
        found = image_roots_.emplace(image, TRY(images_->open_root(name))).first;
    }
    return found->second.get();
}

namespace {

// Everything of one launch that later steps need.
struct Parts {
    LaunchPlan plan;
    isolation::Recipe recipe;
    cgroups::Cgroup cgroup;
};

base::Result<cgroups::Cgroup> make_cgroup(LaunchSession& session,
                                          const state::GuestRecord& record,
                                          const LaunchPlan& plan) {
    const Context& context = session.context();
    const int parent = TRY(session.cgroup_parent_dir());
    auto cgroup = TRY(cgroups::Cgroup::create(parent, record.name));
    context.faults.hit("start: cgroup made");
    TRY(cgroup.apply(record.config.limits));
    TRY(base::with_context(session.device_programs().set(cgroup, plan.device_access),
                           "cgroup of " + record.name));
    TRY(cgroup.delegate(plan.root_uid, plan.root_gid));
    context.faults.hit("start: cgroup ready");
    return cgroup;
}

// The detached mounts that travel with the release, in slot order, and what was needed to make them.
struct Mounts {
    std::vector<base::Fd> slots;
    std::vector<base::Fd> spent;
};

base::Result<Mounts> make_mounts(LaunchSession& session,
                                 const state::GuestRecord& record,
                                 const LaunchPlan& plan,
                                 const isolation::PendingGuest& pending) {
    const Context& context = session.context();
    base::Fd user_namespace;
    if (plan.id_map) {
        user_namespace = TRY(pending.user_namespace());
    }
    const auto name = TRY(base::Name::parse_guest(record.name));
    const base::Fd disk = TRY(context.store.guest_dir(name));
    images::RootfsRef root;
    root.image_root = TRY(session.image_root(record.config.image));
    root.guest_dir = disk.get();
    root.userns_fd = user_namespace.get();
    root.root_uid = plan.root_uid;
    root.root_gid = plan.root_gid;
    root.is_volatile = record.config.remove_on_stop;
    auto rootfs = TRY(images::mount_rootfs(root));
    Mounts mounts;
    mounts.spent = std::move(rootfs.spent);
    mounts.slots.push_back(std::move(rootfs.mount));
    mounts.slots.push_back(TRY(isolation::make_dev(plan.devices, plan.root_uid, plan.root_gid)));
    for (const auto& mount : record.config.mounts) {
        mounts.slots.push_back(TRY(isolation::open_bind_source(
            mount.source, mount.read_only, true, user_namespace.get())));
    }
    return mounts;
}

// From the clone to the record that says "running".
base::Result<LaunchedGuest> clone_and_release(LaunchSession& session,
                                              const state::GuestRecord& record,
                                              state::RunRecord run,
                                              const Parts& parts,
                                              isolation::StdioFds stdio) {
    const Context& context = session.context();
    auto pending = TRY(
        isolation::PendingGuest::clone(parts.plan.guest, parts.recipe, parts.cgroup.dir(), stdio));
    context.faults.hit("start: cloned");
    if (parts.plan.id_map) {
        TRY(pending.write_id_maps(*parts.plan.id_map));
    }
    run.notes = TRY(pending.apply_process_limits(parts.plan.guest.process));
    auto mounts = TRY(make_mounts(session, record, parts.plan, pending));
    run.init = TRY(base::identify(pending.process()));
    TRY(context.store.save_run(run));
    context.faults.hit("start: process recorded");

    std::vector<int> fds;
    fds.reserve(mounts.slots.size());
    for (const auto& slot : mounts.slots) {
        fds.push_back(slot.get());
    }
    auto launched = TRY(std::move(pending).release(fds, std::move(mounts.spent)));
    context.faults.hit("start: released");
    run.notes.insert(run.notes.end(), launched.notes.begin(), launched.notes.end());
    run.phase = state::RunPhase::Running;
    run.started = base::format_time_now();
    TRY(context.store.save_run(run));
    context.faults.hit("start: running");
    return LaunchedGuest{std::move(launched), std::move(run)};
}

}  // namespace

base::Result<LaunchedGuest> launch_guest(LaunchSession& session,
                                         const state::GuestRecord& record,
                                         const spec::ValidatedConfig& config,
                                         bool terminal,
                                         isolation::StdioFds stdio) {
    const Context& context = session.context();
    const auto lookups = TRY(look_up(record.config));
    PlanSite site;
    site.exec_enters_time = context.host.exec_enters_time;
    site.clocks = Clocks::now();
    site.terminal = terminal;
    if (record.lease) {
        site.id_base = state::Store::lease_base(*record.lease);
    }
    auto plan = TRY(plan_launch(config, lookups, site));
    const auto* filter = TRY(session.filter(plan.seccomp));
    auto recipe = TRY(isolation::plan_guest(plan.guest, *filter));

    state::RunRecord run;
    run.name = record.name;
    run.boot_id = context.boot_id;
    run.cgroup = guest_cgroup_path(context, record.name);
    run.remove_on_stop = record.config.remove_on_stop;
    run.summary = TRY(summarize(context, record));
    TRY(context.store.save_run(run));
    context.faults.hit("start: recorded");

    auto undo = [&](base::Error error) -> base::Result<LaunchedGuest> {
        if (auto undone = release_run(context, run); !undone) {
            error.add_secondary(std::move(undone).error());
        }
        return error;
    };
    auto cgroup = make_cgroup(session, record, plan);
    if (!cgroup) {
        return undo(std::move(cgroup).error());
    }
    const Parts parts{std::move(plan), std::move(recipe), std::move(cgroup).value()};
    auto launched = clone_and_release(session, record, run, parts, stdio);
    if (!launched) {
        return undo(std::move(launched).error());
    }
    return launched;
}

}  // namespace warren::engine
