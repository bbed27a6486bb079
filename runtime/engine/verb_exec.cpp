#include <fcntl.h>

#include "isolation/sealed_program.hpp"
#include "runtime/engine/guest_log.hpp"
#include "runtime/engine/guest_users.hpp"
#include "runtime/engine/join.hpp"
#include "runtime/engine/recover.hpp"
#include "runtime/engine/stdio.hpp"

namespace warren::engine {

namespace {

base::Result<Situation> running(const Context& context, const base::Name& name) {
    auto situation = TRY(observe(context, name));
    if (!situation.exists()) {
        return unknown_guest(name);
    }
    if (situation.status() != GuestStatus::Running) {
        return base::Error(base::ErrorKind::Busy,
                           name.str() + " is " + std::string(engine::name(situation.status())));
    }
    return situation;
}

base::Result<JoinRequest> plan_request(const state::RunRecord& run, const ExecRequest& request) {
    const auto init = TRY(open_init(run));
    const auto user = TRY(find_user(init, request.user));
    JoinRequest join;
    join.command = request.command;
    if (join.command.empty()) {
        join.command = {user.shell, "-l"};
    }
    join.env = request.env;
    join.uid = user.uid;
    join.gid = user.gid;
    join.groups = user.groups;
    join.home = user.home;
    join.cwd = request.cwd;
    if (join.cwd.empty()) {
        join.cwd = is_guest_dir(init, user.home) ? user.home : "/";
    }
    join.terminal = request.stdio.terminal;
    return join;
}

base::Result<RunOutcome> exec_detached(const Context& context,
                                       const Situation& guest,
                                       const JoinRequest& join,
                                       const base::Name& name) {
    const auto& run = *guest.run;
    const std::uint32_t owner = TRY(id_of_root(TRY(open_init(run))));
    DetachedStdio stdio;
    stdio.null_in = TRY(base::open_at(AT_FDCWD, "/dev/null", O_RDONLY));
    stdio.log = TRY(open_log(context, name, owner, owner));
    const auto launched =
        TRY(join_running(context, run, guest.running_config(), join, stdio.guest_side()));
    return RunOutcome{name, 0, launched.notes};
}

}  // namespace

base::Result<RunOutcome> Engine::exec(const ExecRequest& request) {
    const Context context = this->context();
    const auto guest = TRY(running(context, request.name));
    const auto& run = *guest.run;
    const auto& config = guest.running_config();
    if (config.security.users == spec::Wall::Host) {
        TRY(isolation::seal_program());
    }
    auto planned = plan_request(run, request);
    if (!planned) {
        return entering_error(context, run, std::move(planned).error());
    }
    auto join = std::move(planned).value();
    if (request.stdio.detach) {
        join.terminal = false;
        return exec_detached(context, guest, join, request.name);
    }
    auto stdio = TRY(AttachedStdio::open(request.stdio));
    join.window = stdio.window();
    auto launched = TRY(join_running(context, run, config, join, stdio.guest_side()));
    const auto exit = TRY(stdio.relay(launched));
    return RunOutcome{request.name, exit.shell_code(), launched.notes};
}

}  // namespace warren::engine
