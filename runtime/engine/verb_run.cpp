#include "isolation/sealed_program.hpp"
#include "runtime/engine/create.hpp"
#include "runtime/engine/guest_log.hpp"
#include "runtime/engine/launch.hpp"
#include "runtime/engine/recover.hpp"
#include "runtime/engine/start.hpp"
#include "runtime/engine/stdio.hpp"
#include "runtime/engine/teardown.hpp"

namespace warren::engine {

namespace {

// The guest has ended while we were attached to it.
base::Status conclude(const Context& context,
                      const base::Name& name,
                      const state::RunRecord& run,
                      const base::ExitStatus& exit) {
    const auto lock = TRY(context.store.lock(name, base::LockMode::Exclusive, kLockTimeout));
    const auto now = TRY(context.store.load_run(name));
    // Somebody who came first (stop, destroy, list) has done it already, or the guest runs anew.
    if (!now || !(now->init == run.init)) {
        return base::ok();
    }
    return finish_run(context, *now, exit.shell_code(), "exited");
}

// The session ends with the launch: held any longer, it would keep the cgroup parent from going with the last guest.
base::Result<LaunchedGuest> launch_once(const Context& context,
                                        const Created& created,
                                        const AttachedStdio& stdio) {
    LaunchSession session(context);
    return launch_guest(
        session, created.record, created.config, stdio.terminal(), stdio.guest_side());
}

base::Result<RunOutcome> run_attached(const Context& context,
                                      Created created,
                                      const StdioRequest& request) {
    const auto name = TRY(base::Name::parse_guest(created.record.name));
    StdioRequest wanted = request;
    wanted.terminal = request.terminal || wants_terminal(created.record.config);
    auto stdio = TRY(AttachedStdio::open(wanted));
    auto guest = TRY(launch_once(context, created, stdio));
    {
        // From here on others may stop it, enter it, look at it.
        const base::FileLock released = std::move(created.lock);
    }
    const auto exit = stdio.relay(guest.launched);
    if (!exit) {
        return exit.error();
    }
    TRY(conclude(context, name, guest.run, exit.value()));
    return RunOutcome{name, exit.value().shell_code(), guest.run.notes};
}

base::Result<RunOutcome> run_detached(const Context& context, Created created) {
    const auto name = TRY(base::Name::parse_guest(created.record.name));
    LaunchSession session(context);
    const auto run = TRY(start_detached(session, created.record, created.config));
    return RunOutcome{name, 0, run.notes};
}

}  // namespace

base::Result<RunOutcome> Engine::run(const RunRequest& request) {
    const Context context = this->context();
    if (request.config.security.users == spec::Wall::Host) {
        TRY(isolation::seal_program());
    }
    const auto store = TRY(images());
    auto created = TRY(create_guest(context, store, request.config));
    const state::GuestRecord record = created.record;
    auto outcome = request.stdio.detach ? run_detached(context, std::move(created))
                                        : run_attached(context, std::move(created), request.stdio);
    if (!outcome && record.config.remove_on_stop) {
        auto error = std::move(outcome).error();
        const auto name = TRY(base::Name::parse_guest(record.name));
        // A --rm guest that did not start is not left standing: recover() removes it.
        if (auto left = hold(context, name);
            !left && left.error().kind() != base::ErrorKind::Usage) {
            error.add_secondary(std::move(left).error());
        }
        return error;
    }
    return outcome;
}

}  // namespace warren::engine
