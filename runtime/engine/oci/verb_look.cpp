// state, list, ps.
#include <algorithm>

#include "runtime/engine/oci/container.hpp"

namespace warren::engine::oci {

base::Result<ContainerView> Engine::state(const std::string& id) {
    const auto context = TRY(Context::open(settings_, log_, faults_, false));
    return view_of(context, TRY(open_container(context, id)));
}

base::Result<std::vector<ContainerView>> Engine::list() {
    const auto context = TRY(Context::open(settings_, log_, faults_, false));
    std::vector<ContainerView> views;
    for (const auto& id : TRY(context.store.ids())) {
        auto container = open_container(context, id.str());
        auto view = container ? view_of(context, container.value())
                              : base::Result<ContainerView>(std::move(container).error());
        if (view) {
            views.push_back(std::move(view).value());
        } else if (view.error().kind() != base::ErrorKind::NotFound) {
            log_.warning("list: " + view.error().describe());
        }
    }
    return views;
}

base::Result<std::vector<pid_t>> Engine::ps(const PsRequest& request) {
    const auto context = TRY(Context::open(settings_, log_, faults_, false));
    const auto container = TRY(open_container(context, request.id));
    std::vector<pid_t> pids;
    if (!container.record.cgroup.empty()) {
        const auto cgroup =
            cgroups::ContainerCgroup::open(context.host, cgroup_record(container.record));
        if (cgroup) {
            pids = TRY(cgroup.value().cgroup().processes());
        } else if (cgroup.error().kind() != base::ErrorKind::NotFound) {
            return cgroup.error();
        }
    } else if (container.init) {
        pids.push_back(container.init->pid());
    }
    std::sort(pids.begin(), pids.end());
    return pids;
}

}  // namespace warren::engine::oci
