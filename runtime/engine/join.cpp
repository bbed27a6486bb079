#include "runtime/engine/join.hpp"

#include <sstream>

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

base::Result<std::uint32_t> id_of_root(const base::PidRef& init) {
    const auto path = "/proc/" + std::to_string(init.pid()) + "/uid_map";
    std::istringstream map(TRY(base::read_file_at(AT_FDCWD, path)));
    // Had it ended before that, its number could be another's.
    if (TRY(init.wait_exit(std::chrono::milliseconds{0}))) {
        return base::Error(base::ErrorKind::Busy, "its first process has ended");
    }
    std::uint32_t inside = 0;
    std::uint32_t outside = 0;
    if (!(map >> inside >> outside) || inside != 0) {
        return base::fail("read " + path + ": root is not mapped");
    }
    return outside;
}

namespace {

// Whether the run that was to be entered is over, or being ended, by now.
bool is_over(const Context& context, const state::RunRecord& run) {
    const auto name = base::Name::parse_guest(run.name);
    const auto now = context.store.load_run(name.value());
    if (now && (!now.value() || now.value()->init != run.init ||
                now.value()->phase != state::RunPhase::Running)) {
        return true;
    }
    const auto init = open_init(run);
    return !init || init.value().is_ending();
}

base::Result<isolation::Launched> enter(const Context& context,
                                        const state::RunRecord& run,
                                        const spec::GuestConfig& config,
                                        const JoinRequest& request,
                                        isolation::StdioFds stdio) {
    const auto init = TRY(open_init(run));
    const auto spec = plan_exec(config, request);
    LaunchSession session(context);
    const auto* filter = TRY(session.filter(plan_seccomp(config)));
    const auto recipe = TRY(isolation::plan_join(spec, *filter));
    const auto cgroup = TRY(cgroups::Cgroup::open(context.host.cgroup, run.cgroup));
    const std::uint32_t owner = TRY(id_of_root(init));
    const auto exec_dir = TRY(cgroup.exec_dir(owner, owner));
    return isolation::join_guest(spec, recipe, init, exec_dir.get(), stdio);
}

}  // namespace

base::Error entering_error(const Context& context,
                           const state::RunRecord& run,
                           base::Error failure) {
    if (is_over(context, run)) {
        return {base::ErrorKind::Busy, run.name + " ended while it was being entered"};
    }
    return failure;
}

base::Result<isolation::Launched> join_running(const Context& context,
                                               const state::RunRecord& run,
                                               const spec::GuestConfig& config,
                                               const JoinRequest& request,
                                               isolation::StdioFds stdio) {
    auto launched = enter(context, run, config, request, stdio);
    if (!launched) {
        return entering_error(context, run, std::move(launched).error());
    }
    return launched;
}

}  // namespace warren::engine
