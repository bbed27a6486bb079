#include <csignal>

#include "runtime/engine/join.hpp"
#include "runtime/engine/recover.hpp"
#include "runtime/engine/teardown.hpp"

namespace warren::engine {

namespace {

base::Result<Held> hold_running(const Context& context, const base::Name& name) {
    auto held = TRY(hold(context, name));
    if (!held.situation.run) {
        return base::Error(base::ErrorKind::Busy, name.str() + " is not running");
    }
    return held;
}

base::Status kill_one(const Context& context, const base::Name& name, int signal_number) {
    const auto held = TRY(hold_running(context, name));
    const auto init = TRY(open_init(*held.situation.run));
    TRY(init.signal(signal_number));
    if (signal_number == SIGKILL) {
        if (!TRY(init.wait_exit(kKillTimeout))) {
            return base::fail("kill " + name.str() + ": its first process does not end");
        }
        TRY(finish_run(context, *held.situation.run, 128 + SIGKILL, "killed"));
    }
    return base::ok();
}

base::Status freeze_one(const Context& context, const base::Name& name, bool freeze) {
    auto held = TRY(hold_running(context, name));
    auto& run = *held.situation.run;
    const auto cgroup = TRY(cgroups::Cgroup::open(context.host.cgroup, run.cgroup));
    if (freeze) {
        TRY(cgroup.freeze(kKillTimeout));
    } else {
        TRY(cgroup.thaw());
    }
    run.paused = freeze;
    return context.store.save_run(run);
}

}  // namespace

void Engine::kill(const std::vector<base::Name>& names, int signal_number, const OnOutcome& done) {
    const Context context = this->context();
    for (const auto& name : names) {
        done(Outcome{name, kill_one(context, name, signal_number)});
    }
}

void Engine::pause(const std::vector<base::Name>& names, const OnOutcome& done) {
    const Context context = this->context();
    for (const auto& name : names) {
        done(Outcome{name, freeze_one(context, name, true)});
    }
}

void Engine::resume(const std::vector<base::Name>& names, const OnOutcome& done) {
    const Context context = this->context();
    for (const auto& name : names) {
        done(Outcome{name, freeze_one(context, name, false)});
    }
}

}  // namespace warren::engine
