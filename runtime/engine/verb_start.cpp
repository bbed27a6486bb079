#include <memory>

#include <fcntl.h>

#include "isolation/sealed_program.hpp"
#include "runtime/engine/admission.hpp"
#include "runtime/engine/console_keeper.hpp"
#include "runtime/engine/guest_log.hpp"
#include "runtime/engine/launch.hpp"
#include "runtime/engine/ready.hpp"
#include "runtime/engine/recover.hpp"
#include "runtime/engine/start.hpp"
#include "runtime/engine/stdio.hpp"
#include "runtime/engine/workers.hpp"

namespace warren::engine {

bool wants_terminal(const spec::GuestConfig& config) {
    return config.kind == isolation::GuestKind::Machine || config.terminal;
}

base::Result<state::RunRecord> start_detached(LaunchSession& session,
                                              const state::GuestRecord& record,
                                              const spec::ValidatedConfig& config) {
    const Context& context = session.context();
    const auto name = TRY(base::Name::parse_guest(record.name));
    const std::uint32_t owner = record.lease ? state::Store::lease_base(*record.lease) : 0;
    DetachedStdio stdio;
    stdio.null_in = TRY(base::open_at(AT_FDCWD, "/dev/null", O_RDONLY));
    stdio.log = TRY(open_log(context, name, owner, owner));
    auto guest = TRY(
        launch_guest(session, record, config, wants_terminal(record.config), stdio.guest_side()));
    auto kept = keep_console(context,
                             name,
                             std::move(guest.launched.terminal_master),
                             std::move(stdio.log),
                             guest.launched.process);
    if (!kept) {
        // The guest runs; it only has no console.
        guest.run.notes.push_back("no console: " + kept.error().describe());
        TRY(context.store.save_run(guest.run));
    }
    return std::move(guest.run);
}

namespace {

// Before the first of a batch is started: starting over from the sealed copy repeats the whole verb.
base::Status seal_if_needed(const Context& context, const std::vector<base::Name>& names) {
    for (const auto& name : names) {
        const auto record = context.store.load_guest(name);
        if (record && record.value() && record.value()->config.security.users == spec::Wall::Host) {
            return isolation::seal_program();
        }
    }
    return base::ok();
}

// A run record that could not be read was set aside, and what it told of may run on.
base::Status require_not_running_unrecorded(const Context& context, const base::Name& name) {
    const auto cgroup =
        cgroups::Cgroup::open(context.host.cgroup, guest_cgroup_path(context, name.str()));
    if (!cgroup) {
        return base::ok();
    }
    const auto populated = cgroup.value().populated();
    if (!populated || !populated.value()) {
        return base::ok();
    }
    return base::Error(base::ErrorKind::Busy,
                       name.str() +
                           " runs, but its run record was damaged and is set aside: end it "
                           "by \"warren stop " +
                           name.str() + "\", then start it");
}

base::Status start_one(LaunchSession& session, const base::Name& name) {
    auto held = TRY(hold(session.context(), name));
    if (held.situation.run) {
        return base::Error(
            base::ErrorKind::Busy,
            name.str() + " is " + std::string(engine::name(held.situation.status())) + " already");
    }
    TRY(require_not_running_unrecorded(session.context(), name));
    const auto& record = *held.situation.record;
    const auto config = TRY(spec::validate(record.config, session.context().host));
    TRY(start_detached(session, record, config));
    return base::ok();
}

}  // namespace

void Engine::start(const std::vector<base::Name>& names,
                   const StartOptions& options,
                   const OnOutcome& done) {
    const Context context = this->context();
    if (auto sealed = seal_if_needed(context, names); !sealed) {
        for (const auto& name : names) {
            done(Outcome{name, sealed.error()});
        }
        return;
    }
    std::vector<base::Name> started;
    const auto make_worker = [&]() -> WorkItem {
        const auto session = std::make_shared<LaunchSession>(context);
        const auto admission = names.size() > 1 ? std::make_shared<Admission>() : nullptr;
        return [&names, session, admission](std::size_t index) {
            if (admission) {
                admission->wait();
            }
            return start_one(*session, names[index]);
        };
    };
    run_in_workers(names.size(),
                   worker_count(names.size()),
                   make_worker,
                   [&](std::size_t index, base::Status status) {
                       if (status && options.wait) {
                           started.push_back(names[index]);
                       } else {
                           done(Outcome{names[index], std::move(status)});
                       }
                   });
    const auto deadline = std::chrono::steady_clock::now() + options.wait_timeout;
    for (const auto& name : started) {
        done(Outcome{name, await_ready(context, name, deadline)});
    }
}

base::Result<std::string> Engine::describe_start(const base::Name& name) {
    const Context context = this->context();
    const auto situation = TRY(observe(context, name));
    if (!situation.exists()) {
        return unknown_guest(name);
    }
    const auto& record = *situation.record;
    const auto config = TRY(spec::validate(record.config, host_));
    PlanSite site;
    site.exec_enters_time = host_.exec_enters_time;
    site.terminal = wants_terminal(record.config);
    if (record.lease) {
        site.id_base = state::Store::lease_base(*record.lease);
    }
    const auto plan = TRY(plan_launch(config, TRY(look_up(record.config)), site));
    return describe(plan, record.config);
}

}  // namespace warren::engine
