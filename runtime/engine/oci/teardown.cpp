#include "runtime/engine/oci/teardown.hpp"

#include <csignal>

#include "runtime/engine/oci/container.hpp"
#include "runtime/engine/oci/hooks.hpp"
#include "runtime/engine/oci/host_root.hpp"
#include "runtime/engine/oci/intel_rdt.hpp"

namespace warren::engine::oci {

base::Status kill_container(const Context& context, const state::oci::Record& record) {
    const auto init = TRY(open_init(record));
    if (init) {
        TRY(init->signal(SIGKILL));
    }
    if (!record.cgroup.empty() && record.cgroup_is_ours) {
        const auto cgroup = cgroups::ContainerCgroup::open(context.host, cgroup_record(record));
        if (cgroup) {
            TRY(cgroup.value().cgroup().kill());
        } else if (cgroup.error().kind() != base::ErrorKind::NotFound) {
            return cgroup.error();
        }
    }
    if (init && !TRY(init->wait_exit(kKillTimeout))) {
        return state_error(record.id, "was killed and does not end");
    }
    return base::ok();
}

namespace {

base::Status remove_cgroup(const Context& context, const state::oci::Record& record) {
    if (record.cgroup_is_ours) {
        return cgroups::remove_container_cgroup(context.host, cgroup_record(record), kKillTimeout);
    }
    cgroups::remove_unused_container_cgroup(context.host, cgroup_record(record));
    return base::ok();
}

}  // namespace

base::Status destroy_container(const Context& context,
                               state::oci::ContainerDir dir,
                               state::oci::Record record) {
    if (record.phase != state::oci::Phase::Deleting) {
        record.phase = state::oci::Phase::Deleting;
        TRY(dir.save(record));
    }
    context.faults.hit("delete: recorded");
    if (record.boot_id == TRY(base::boot_id())) {
        TRY(kill_container(context, record));
        context.faults.hit("delete: killed");
        TRY(unmount_host_root(dir.fd(), record.rootfs));
        TRY(remove_cgroup(context, record));
        TRY(leave_intel_rdt(record));
    }
    context.faults.hit("delete: cgroup removed");
    return context.store.remove(std::move(dir));
}

base::Status remove_container(const Context& context,
                              state::oci::ContainerDir dir,
                              state::oci::Record record) {
    const bool has_hooks = record.init && (!record.config || record.config->read_at_delete);
    if (!has_hooks) {
        TRY(destroy_container(context, std::move(dir), std::move(record)));
        context.faults.hit("delete: removed");
        return base::ok();
    }
    // Read before its file goes.
    const auto config = load_config(dir);
    TRY(destroy_container(context, std::move(dir), record));
    context.faults.hit("delete: removed");
    if (!config) {
        context.log.warning("poststop hooks: " + config.error().describe());
        return base::ok();
    }
    run_late_hooks(config.value().hooks.poststop,
                   "/hooks/poststop",
                   state_text(record, Status::Stopped, 0),
                   record.bundle,
                   context.log);
    return base::ok();
}

base::Status remove_ended(const Context& context,
                          const std::string& id,
                          const base::PidIdentity& init) {
    auto container = lock_container(context, id);
    if (!container) {
        if (container.error().kind() == base::ErrorKind::NotFound) {
            return base::ok();
        }
        return std::move(container).error();
    }
    if (container.value().record.init != init) {
        return base::ok();
    }
    return remove_container(
        context, std::move(container.value().dir), std::move(container.value().record));
}

}  // namespace warren::engine::oci
