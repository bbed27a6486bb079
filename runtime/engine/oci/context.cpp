#include "runtime/engine/oci/context.hpp"

#include "runtime/engine/oci/host.hpp"

namespace warren::engine::oci {

base::Result<Context> Context::open(const Settings& settings,
                                    const base::Log& log,
                                    Faults& faults,
                                    bool create) {
    const auto root = TRY(runtime_root(settings));
    auto store = TRY(state::oci::Store::open(root, create));
    auto host = TRY(cgroups::probe_host());
    return Context{settings, log, faults, std::move(store), std::move(host), is_rootless(settings)};
}

cgroups::CgroupRecord cgroup_record(const state::oci::Record& record) {
    cgroups::CgroupRecord cgroup;
    cgroup.path = record.cgroup;
    if (record.scope) {
        cgroup.scope = record.scope->name;
        cgroup.user_manager = record.scope->user_manager;
    }
    return cgroup;
}

void set_cgroup_record(state::oci::Record& record, const cgroups::CgroupRecord& cgroup) {
    record.cgroup = cgroup.path;
    record.scope.reset();
    if (!cgroup.scope.empty()) {
        record.scope = state::oci::SystemdScope{cgroup.scope, cgroup.user_manager};
    }
}

void forget_cgroup_of_others(state::oci::Record& record) {
    if (!record.cgroup_is_ours) {
        set_cgroup_record(record, {});
    }
}

}  // namespace warren::engine::oci
