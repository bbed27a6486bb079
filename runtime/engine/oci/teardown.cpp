#include "runtime/engine/oci/teardown.hpp"

#include <csignal>

#include "runtime/engine/oci/container.hpp"

namespace warren::engine::oci {

base::Status kill_container(const Context& context, const state::oci::Record& record) {
    const auto init = TRY(open_init(record));
    if (init) {
        TRY(init->signal(SIGKILL));
    }
    if (!record.cgroup.empty()) {
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
        TRY(cgroups::remove_container_cgroup(context.host, cgroup_record(record), kKillTimeout));
    }
    context.faults.hit("delete: cgroup removed");
    return context.store.remove(std::move(dir));
}

}  // namespace warren::engine::oci
