#include "runtime/engine/oci/create.hpp"
#include "runtime/engine/oci/start.hpp"
#include "runtime/engine/oci/teardown.hpp"
#include "runtime/engine/stdio.hpp"

namespace warren::engine::oci {

namespace {

base::Error undo(const Context& context, Container container, base::Error error) {
    auto removed = remove_container(context, std::move(container.dir), std::move(container.record));
    if (!removed) {
        error.add_secondary(std::move(removed).error());
    }
    return error;
}

base::Result<int> run_detached(const Context& context, const RunRequest& request, Bundle bundle) {
    auto created =
        TRY(create_container(context, request.create, std::move(bundle), false, {0, 1, 2}, {}));
    auto started = start_container(context, created.container, created.start);
    if (!started && !request.keep) {
        return undo(context, std::move(created.container), std::move(started).error());
    }
    auto notify = TRY(std::move(started));
    TRY(finish_start(std::move(created.container), std::move(notify)));
    return 0;
}

base::Result<int> run_attached(const Context& context, const RunRequest& request, Bundle bundle) {
    StdioRequest wanted;
    wanted.interactive = true;
    const bool relayed = request.create.wiring.console_socket.empty();
    wanted.terminal = relayed && bundle.config.process && bundle.config.process->terminal;
    auto stdio = TRY(AttachedStdio::open(wanted));
    auto created = TRY(create_container(context,
                                        request.create,
                                        std::move(bundle),
                                        wanted.terminal,
                                        stdio.guest_side(),
                                        stdio.window()));
    if (auto started = start_container(context, created.container, created.start); !started) {
        if (request.keep) {
            return std::move(started).error();
        }
        return undo(context, std::move(created.container), std::move(started).error());
    }
    if (!notify_socket().empty()) {
        context.log.warning(
            "NOTIFY_SOCKET: what the container says is passed on by run --detach only");
    }
    const auto id = created.container.record.id;
    const auto init = *created.container.record.init;
    isolation::Launched launched;
    launched.process = std::move(*created.container.init);
    launched.terminal_master = std::move(created.terminal_master);
    {
        // From here on others may look at it, enter it, end it.
        const auto unlocked = std::move(created.container.dir);
    }
    const auto exit = stdio.relay(launched);
    if (!request.keep) {
        TRY(remove_ended(context, id, init));
    }
    return TRY(exit).shell_code();
}

}  // namespace

base::Result<int> Engine::run(const RunRequest& request) {
    auto bundle = TRY(read_bundle_sealed(settings_, request.create.bundle));
    const auto context = TRY(Context::open(settings_, log_, faults_, true));
    RunRequest wanted = request;
    wanted.create.tells_exec_failure = false;  // we say it
    if (request.detach) {
        return run_detached(context, wanted, std::move(bundle));
    }
    return run_attached(context, wanted, std::move(bundle));
}

}  // namespace warren::engine::oci
