#include "runtime/engine/teardown.hpp"

#include "base/units.hpp"
#include "images/rootfs.hpp"
#include "runtime/engine/guest_log.hpp"
#include "runtime/engine/oom.hpp"

namespace warren::engine {

namespace {

// The reason of a run that ended by itself.
constexpr std::string_view kExited = "exited";

}  // namespace

base::Status release_run(const Context& context, const state::RunRecord& run) {
    const auto name = TRY(base::Name::parse_guest(run.name));
    if (!run.cgroup.empty()) {
        TRY(cgroups::remove_cgroup(context.host.cgroup, run.cgroup, kKillTimeout));
    }
    context.faults.hit("stop: cgroup removed");
    TRY(context.store.remove_run(name));
    context.faults.hit("stop: run record removed");
    return base::ok();
}

base::Status finish_run(const Context& context,
                        const state::RunRecord& run,
                        std::optional<int> exit_code,
                        const std::string& reason) {
    const auto name = TRY(base::Name::parse_guest(run.name));
    if (!run.remove_on_stop && TRY(context.store.has_guest(name))) {
        state::LastRun last;
        last.ended = base::format_time_now();
        last.exit_code = exit_code;
        // Only its cgroup knows, which goes with the run.
        last.reason = reason == kExited && init_was_oom_killed(context, run, exit_code)
                          ? std::string(kOutOfMemory)
                          : reason;
        // Saved first: once the run record is gone, nobody knows any more how it ended.
        TRY(context.store.save_last_run(name, last));
        context.faults.hit("stop: end recorded");
    }
    TRY(release_run(context, run));
    trim_log(context, name);
    if (run.remove_on_stop) {
        if (auto record = TRY(context.store.load_guest(name)); record) {
            TRY(remove_guest(context, *record));
        }
    }
    return base::ok();
}

base::Status begin_removal(const Context& context, const base::Name& name) {
    TRY(context.store.begin_removal(name));
    context.faults.hit("destroy: recorded");
    return base::ok();
}

base::Status remove_guest(const Context& context, const state::GuestRecord& record) {
    const auto name = TRY(base::Name::parse_guest(record.name));
    TRY(begin_removal(context, name));
    TRY(finish_removal(context, record));
    tidy_host(context, name);
    context.faults.hit("destroy: record removed");
    return base::ok();
}

base::Status finish_removal(const Context& context, const state::GuestRecord& record) {
    const auto name = TRY(base::Name::parse_guest(record.name));
    // Also without a run record: a damaged one was set aside, and what it told of may run on.
    TRY(cgroups::remove_cgroup(
        context.host.cgroup, guest_cgroup_path(context, record.name), kKillTimeout));
    {
        const base::Fd disk = TRY(context.store.guest_dir(name));
        TRY(images::remove_disk(disk.get()));
    }
    context.faults.hit("destroy: disk removed");
    if (record.lease) {
        TRY(context.store.release_lease(*record.lease, name));
    }
    context.faults.hit("destroy: lease released");
    TRY(context.store.remove_guest(name));
    context.faults.hit("destroy: directory removed");
    return base::ok();
}

void tidy_host(const Context& context, const base::Name& name) {
    // Both are best effort: another guest may be starting this moment, and then they stay.
    (void)context.store.tidy(name);
    (void)cgroups::remove_parent(context.host.cgroup, parent_config(context.paths));
}

}  // namespace warren::engine
