#include "runtime/engine/join.hpp"

#include "runtime/engine/launch.hpp"
#include "runtime/state/store.hpp"

namespace warren::engine {

base::Result<base::PidRef> open_init(const state::RunRecord& run) {
    if (run.init) {
        if (auto init = TRY(base::PidRef::open(*run.init)); init) {
            return std::move(*init);
        }
    }
    return base::Error(base::ErrorKind::Busy, run.name + " is not running");
}

base::Result<isolation::Launched> join_running(const Context& context,
                                               const state::RunRecord& run,
                                               const JoinRequest& request,
                                               isolation::StdioFds stdio) {
    const auto init = TRY(open_init(run));
    const auto spec = plan_exec(run.config, request);
    LaunchSession session(context);
    const auto* filter = TRY(session.filter(plan_seccomp(run.config)));
    const auto recipe = TRY(isolation::plan_join(spec, *filter));
    const auto cgroup = TRY(cgroups::Cgroup::open(context.host.cgroup, run.cgroup));
    std::uint32_t owner = 0;
    if (run.config.security.users == spec::Wall::Private) {
        const auto name = TRY(base::Name::parse_guest(run.name));
        const auto record = TRY(context.store.load_guest(name));
        if (record && record->lease) {
            owner = state::Store::lease_base(*record->lease);
        }
    }
    const auto exec_dir = TRY(cgroup.exec_dir(owner, owner));
    return isolation::join_guest(spec, recipe, init, exec_dir.get(), stdio);
}

}  // namespace warren::engine
