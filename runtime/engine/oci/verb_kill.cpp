// kill, pause, resume.
#include <csignal>

#include "runtime/engine/oci/container.hpp"
#include "runtime/engine/oci/teardown.hpp"

namespace warren::engine::oci {

namespace {

using cgroups::ContainerCgroup;

// nullopt: it has none, or that is gone by now.
base::Result<std::optional<ContainerCgroup>> cgroup_of(const Context& context,
                                                       const Container& container) {
    if (container.record.cgroup.empty()) {
        return std::optional<ContainerCgroup>();
    }
    auto cgroup = ContainerCgroup::open(context.host, cgroup_record(container.record));
    if (!cgroup && cgroup.error().kind() == base::ErrorKind::NotFound) {
        return std::optional<ContainerCgroup>();
    }
    return std::optional<ContainerCgroup>(TRY(std::move(cgroup)));
}

base::Status signal_pid(pid_t pid, int signal_number) {
    const auto identity = base::identify(pid);
    if (!identity) {
        return base::ok();  // ended by now
    }
    if (const auto process = TRY(base::PidRef::open(identity.value()))) {
        return process->signal(signal_number);
    }
    return base::ok();
}

base::Status signal_all(const ContainerCgroup& cgroup, int signal_number) {
    if (signal_number == SIGKILL) {
        return cgroup.cgroup().kill();
    }
    for (const pid_t pid : TRY(cgroup.cgroup().processes())) {
        TRY(signal_pid(pid, signal_number));
    }
    return base::ok();
}

// Killing the first process of a pid namespace ends all of it; without one the others would live on.
bool shares_pids(const Container& container) {
    const auto config = load_config(container.dir);
    return config && !config.value().linux.is_new(isolation::Namespace::Pid);
}

base::Result<ContainerCgroup> freezable(const Context& context, const Container& container) {
    auto cgroup = TRY(cgroup_of(context, container));
    if (!cgroup) {
        return base::Error(base::ErrorKind::Unsupported,
                           "container \"" + container.record.id +
                               "\" has no cgroup of its own and cannot be paused");
    }
    return std::move(*cgroup);
}

}  // namespace

base::Status Engine::kill(const KillRequest& request) {
    const auto context = TRY(Context::open(settings_, log_, faults_, false));
    const auto container = TRY(open_container(context, request.id));
    if (!container.init && !request.all) {
        return state_error(request.id, "is not running: container not running");
    }
    const bool killing = request.signal_number == SIGKILL;
    if (request.all || (killing && shares_pids(container))) {
        if (const auto cgroup = TRY(cgroup_of(context, container))) {
            return signal_all(*cgroup, request.signal_number);
        }
    }
    if (container.init) {
        return container.init->signal(request.signal_number);
    }
    return base::ok();
}

base::Status Engine::pause(const std::string& id) {
    const auto context = TRY(Context::open(settings_, log_, faults_, false));
    const auto container = TRY(lock_container(context, id));
    const auto status = TRY(status_of(context, container));
    if (status != Status::Running && status != Status::Created) {
        return state_error(id, "is " + std::string(name(status)) + ", not running");
    }
    const auto cgroup = TRY(freezable(context, container));
    return cgroup.cgroup().freeze(kKillTimeout);
}

base::Status Engine::resume(const std::string& id) {
    const auto context = TRY(Context::open(settings_, log_, faults_, false));
    const auto container = TRY(lock_container(context, id));
    if (TRY(status_of(context, container)) != Status::Paused) {
        return state_error(id, "is not paused");
    }
    const auto cgroup = TRY(freezable(context, container));
    return cgroup.cgroup().thaw();
}

}  // namespace warren::engine::oci
