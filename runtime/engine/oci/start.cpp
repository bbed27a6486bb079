#include "runtime/engine/oci/start.hpp"

#include <cerrno>
#include <csignal>

#include <nlohmann/json.hpp>

#include "base/socket.hpp"
#include "isolation/exec_failure.hpp"
#include "runtime/engine/oci/config_place.hpp"
#include "runtime/engine/oci/handover.hpp"
#include "runtime/engine/oci/hooks.hpp"

namespace warren::engine::oci {

base::Error exec_words(base::Error error, const std::string& program) {
    if (error.place() != isolation::kExecPlace) {
        return with_config_place(std::move(error));
    }
    const auto lines = isolation::exec_failure_lines(program);
    const bool missing = error.kind() == base::ErrorKind::NotFound;
    if (missing || error.error_number() == EACCES) {
        return base::Error(error.kind(), missing ? lines.missing : lines.denied)
            .with_place(isolation::kExecPlace);
    }
    const std::string what = "exec \"" + base::printable(program) + "\"";
    return base::Error(error.kind(), error.error_number(), what).with_place(isolation::kExecPlace);
}

base::Status hand_listener(const spec::oci::Seccomp& seccomp,
                           const state::oci::Record& record,
                           Status status,
                           pid_t init,
                           pid_t process,
                           base::Fd listener) {
    state::oci::ContainerProcessState state;
    state.oci_version = record.oci_version;
    state.fds = {"seccompFd"};
    state.pid = process;
    state.metadata = seccomp.listener_metadata;
    state.state.oci_version = record.oci_version;
    state.state.id = record.id;
    state.state.status = std::string(name(status));
    state.state.pid = init;
    state.state.bundle = record.bundle;
    state.state.annotations = record.annotations;
    auto sent = hand_over(
        seccomp.listener_path, base::dump_json(state::oci::to_json(state)), listener.get());
    if (!sent) {
        return std::move(sent).error().with_place("/linux/seccomp/listenerPath");
    }
    return sent;
}

StartPlan plan_start(const spec::oci::Config& config) {
    StartPlan plan;
    if (config.process && !config.process->args.empty()) {
        plan.program = config.process->args.front();
    }
    const auto& seccomp = config.linux.seccomp;
    if (seccomp && (seccomp->notifies || !seccomp->listener_path.empty())) {
        plan.seccomp = seccomp;
    }
    plan.poststart = config.hooks.poststart;
    return plan;
}

base::Result<StartPlan> load_start_plan(const Container& container) {
    const auto& summary = container.record.config;
    if (summary && !summary->read_at_start) {
        return StartPlan{summary->program, std::nullopt, {}};
    }
    return plan_start(TRY(load_config(container.dir)));
}

base::Result<NotifyProxy> start_container(const Context& context,
                                          const Container& container,
                                          const StartPlan& plan) {
    const std::string& id = container.record.id;
    if (!plan.program) {
        return base::usage_error("process is required to start container \"" + id + "\"")
            .with_place("/process");
    }
    const auto status = TRY(status_of(context, container));
    if (status != Status::Created) {
        return state_error(id, "is " + std::string(name(status)) + ", not created");
    }
    auto notify = TRY(NotifyProxy::open(container));
    auto connection = base::connect_at(container.dir.fd(), state::oci::kStartSocket);
    if (!connection && connection.error().error_number() == ECONNREFUSED) {
        return state_error(id, "ended before it was started");  // with it who listened
    }
    if (!connection) {
        return std::move(connection).error().with_context("start container \"" + id + "\"");
    }
    // Before the go: whatever happens to us from here on, the container is not "created" any more.
    TRY(container.dir.remove_start_socket());
    context.faults.hit("start: connected");
    const auto on_listener = [&](base::Fd listener) -> base::Status {
        if (!plan.seccomp) {
            return base::fail("a seccomp listener that nobody asked for");
        }
        const pid_t pid = container.init->pid();
        return hand_listener(
            *plan.seccomp, container.record, Status::Created, pid, pid, std::move(listener));
    };
    auto started = isolation::await_started(
        connection.value().get(), *plan.program, *container.init, on_listener);
    if (!started) {
        auto error = exec_words(std::move(started).error(), *plan.program);
        if (error.place() != isolation::kExecPlace) {
            // A step that fails ends the process; an agent that is not there does not.
            (void)container.init->signal(SIGKILL);
        }
        return error;
    }
    context.faults.hit("start: running");
    for (const auto& note : started.value().notes) {
        context.log.warning(note);
    }
    run_late_hooks(plan.poststart,
                   "/hooks/poststart",
                   state_text(container.record, Status::Running, container.init->pid()),
                   container.record.bundle,
                   context.log);
    context.faults.hit("start: poststart hooks run");
    return notify;
}

base::Status start_nothing(const Context& context, const Container& container) {
    const std::string& id = container.record.id;
    const auto status = TRY(status_of(context, container));
    if (status != Status::Created) {
        return state_error(id, "is " + std::string(name(status)) + ", not created");
    }
    TRY(container.dir.remove_start_socket());
    TRY(container.init->signal(SIGKILL));
    TRY(container.init->wait_exit(kKillTimeout));
    context.log.warning("container \"" + id + "\" has no process: it is started and has ended");
    return base::ok();
}

base::Status finish_start(Container container, NotifyProxy notify) {
    const auto init = std::move(container.init);
    { const auto unlocked = std::move(container.dir); }
    return notify.forward(*init);
}

}  // namespace warren::engine::oci
