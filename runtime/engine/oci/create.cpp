#include "runtime/engine/oci/create.hpp"

#include <algorithm>

#include <unistd.h>

#include "base/socket.hpp"
#include "base/units.hpp"
#include "runtime/engine/oci/config_place.hpp"
#include "runtime/engine/oci/exec_config.hpp"
#include "runtime/engine/oci/handover.hpp"
#include "runtime/engine/oci/hooks.hpp"
#include "runtime/engine/oci/host.hpp"
#include "runtime/engine/oci/host_root.hpp"
#include "runtime/engine/oci/id_map.hpp"
#include "runtime/engine/oci/intel_rdt.hpp"
#include "runtime/engine/oci/lookups.hpp"
#include "runtime/engine/oci/notify.hpp"
#include "runtime/engine/oci/paths.hpp"
#include "runtime/engine/oci/plan.hpp"
#include "runtime/engine/oci/prepare.hpp"
#include "runtime/engine/oci/seccomp_cache.hpp"
#include "runtime/engine/oci/teardown.hpp"

namespace warren::engine::oci {

using isolation::Namespace;
using state::oci::Record;

namespace {

// All that is known before anything is made.
struct Draft {
    ContainerPlan plan;
    LookedUp looked_up;
    isolation::SeccompProgram filter;
    isolation::Recipe recipe;
    std::optional<cgroups::Placement> placement;
    std::optional<RdtPlan> rdt;
};

base::Status check_terminal(const CreateRequest& request,
                            const spec::oci::Config& config,
                            bool keeps_terminal) {
    const bool terminal = config.process && config.process->terminal;
    const bool socket = !request.wiring.console_socket.empty();
    if (socket && !terminal) {
        return base::usage_error("a console socket needs process.terminal");
    }
    if (terminal && !socket && !keeps_terminal) {
        return base::usage_error("a terminal needs a console socket to be handed to")
            .with_place("/process/terminal");
    }
    return base::ok();
}

base::Result<isolation::SeccompProgram> compile_filter(const Context& context,
                                                       const ContainerPlan& plan) {
    if (!plan.seccomp) {
        return isolation::SeccompProgram();
    }
    return isolation::load_seccomp(*plan.seccomp, open_seccomp_cache(context).get());
}

base::Result<std::optional<RdtPlan>> draft_intel_rdt(const spec::oci::Config& config,
                                                     const std::string& id) {
    const auto& wish = config.linux.intel_rdt;
    if (!wish) {
        return std::optional<RdtPlan>();
    }
    auto plan = TRY(plan_intel_rdt(*wish, id));
    TRY(check_intel_rdt(TRY(open_resctrl()), *wish, plan));
    return std::optional(std::move(plan));
}

base::Result<Draft> draft_container(const Context& context,
                                    const CreateRequest& request,
                                    const Bundle& bundle,
                                    const isolation::WindowSize& window) {
    auto site = TRY(find_site(context, request.id));
    site.bundle = bundle.path;
    site.no_pivot = request.no_pivot;
    site.no_new_keyring = request.no_new_keyring;
    site.preserve_fds = request.wiring.preserve_fds;
    site.listen_fds = listen_fds();
    site.apparmor_profile_missing =
        bundle.config.process && lacks_apparmor_profile(bundle.config.process->apparmor_profile);
    if (!notify_socket().empty()) {
        site.notify_directory = context.store.root() + "/" + request.id + "/" + kNotifyDirectory;
    }
    TRY(check_preserved(site.preserve_fds + site.listen_fds));
    auto looked_up = TRY(look_up(bundle.config, bundle.path));
    auto plan = TRY(plan_container(bundle.config, looked_up.lookups, site));
    if (!bundle.config.process || !bundle.config.process->console_size) {
        plan.container.process.window = window;
    }
    plan.container.setgroups_denied = plan.container.namespaces.fresh.has(Namespace::User) &&
                                      map_writer(plan.container.id_map) == MapWriter::Oneself;
    plan.container.process.tells_exec_failure = request.tells_exec_failure;
    auto filter = TRY(compile_filter(context, plan));
    auto recipe = isolation::plan_container(plan.container, filter);
    if (!recipe) {
        return with_config_place(std::move(recipe).error());
    }
    std::optional<cgroups::Placement> placement;
    if (plan.placement) {
        placement = TRY(cgroups::Placement::resolve(context.host, *plan.placement));
    }
    auto rdt = TRY(draft_intel_rdt(bundle.config, request.id));
    return Draft{std::move(plan),
                 std::move(looked_up),
                 std::move(filter),
                 std::move(recipe).value(),
                 std::move(placement),
                 std::move(rdt)};
}

state::oci::ConfigSummary summary_of(const spec::oci::Config& config) {
    const auto plan = plan_start(config);
    state::oci::ConfigSummary summary;
    summary.program = plan.program;
    summary.shuts_out_host_root = shuts_out_host_root(config);
    summary.read_at_start = !plan.poststart.empty() || plan.seccomp;
    summary.read_at_delete = !config.hooks.poststop.empty();
    return summary;
}

base::Result<Record> first_record(const CreateRequest& request,
                                  const Bundle& bundle,
                                  const Draft& draft) {
    Record record;
    record.id = request.id;
    record.oci_version = bundle.config.oci_version;
    record.bundle = bundle.path;
    record.rootfs = draft.looked_up.lookups.rootfs;
    record.created = base::format_time_now();
    record.owner = ::getuid();
    record.annotations = bundle.config.annotations;
    record.boot_id = TRY(base::boot_id());
    if (draft.placement) {
        set_cgroup_record(record, draft.placement->record());
    }
    record.config = summary_of(bundle.config);
    return record;
}

// One creation under way: what the steps share.
struct Making {
    const Context& context;
    const CreateRequest& request;
    const Bundle& bundle;
    Draft draft;
    state::oci::ContainerDir dir;
    Record record;
    bool pid_file_written = false;
};

base::Result<std::optional<cgroups::ContainerCgroup>> make_cgroup(Making& making) {
    if (!making.draft.placement) {
        return std::optional<cgroups::ContainerCgroup>();
    }
    auto cgroup =
        TRY(making.draft.placement->create(making.context.host, making.draft.plan.resources));
    making.context.faults.hit("create: cgroup made");
    if (cgroup && !making.record.scope) {
        making.record.cgroup_is_ours = true;
        TRY(making.dir.save(making.record));
        making.context.faults.hit("create: cgroup recorded");
    }
    return cgroup;
}

base::Status adopt(Making& making,
                   std::optional<cgroups::ContainerCgroup>& cgroup,
                   const isolation::PendingContainer& pending) {
    making.record.init = TRY(base::identify(pending.process().pid()));
    if (!cgroup) {
        set_cgroup_record(making.record, {});
        return making.dir.save(making.record);
    }
    TRY(making.dir.save(making.record));
    making.context.faults.hit("create: process recorded");
    TRY(cgroup->adopt(making.context.host, pending.process().pid()));
    const auto saved = making.record;
    set_cgroup_record(making.record, cgroup->record());
    making.record.cgroup_is_ours = true;
    if (making.record != saved) {
        TRY(making.dir.save(making.record));
    }
    making.context.faults.hit("create: cgroup entered");
    return base::ok();
}

// The ids of the container's root on the host.
base::Status delegate(const Making& making, const cgroups::ContainerCgroup& cgroup) {
    const auto host_id = [](const std::vector<isolation::IdRange>& ranges) -> std::uint32_t {
        for (const auto& range : ranges) {
            if (range.inside == 0) {
                return range.outside;
            }
        }
        return 0;
    };
    if (!making.draft.plan.delegates_cgroup) {
        return base::ok();
    }
    const auto& map = making.draft.plan.container.id_map;
    return cgroup.cgroup().delegate(host_id(map.uids), host_id(map.gids));
}

// The pid of the process in its own namespace: the last of "NSpid:" in proc_pid_status(5).
pid_t inner_pid(pid_t pid) {
    const auto status = base::read_file_at(AT_FDCWD, "/proc/" + std::to_string(pid) + "/status");
    if (!status) {
        return pid;
    }
    const auto at = status.value().find("\nNSpid:");
    if (at == std::string::npos) {
        return pid;
    }
    const auto line = status.value().substr(at + 1, status.value().find('\n', at + 1) - at - 1);
    const auto number = base::parse_uint(line.substr(line.find_last_of(" \t") + 1), 1, 1U << 30U);
    return number ? static_cast<pid_t>(number.value()) : pid;
}

base::Status run_first_hooks(const Making& making, pid_t pid) {
    const auto& hooks = making.bundle.config.hooks;
    // By the lifecycle's steps: what create makes is there, all but the container's own view of it.
    const bool any = !hooks.prestart.empty() || !hooks.create_runtime.empty();
    const auto state = any ? state_text(making.record, Status::Created, pid) : "";
    TRY(run_hooks(hooks.prestart, "/hooks/prestart", state, making.bundle.path));
    making.context.faults.hit("create: prestart hooks run");
    TRY(run_hooks(hooks.create_runtime, "/hooks/createRuntime", state, making.bundle.path));
    making.context.faults.hit("create: createRuntime hooks run");
    return base::ok();
}

base::Result<std::vector<base::Fd>> open_slots(const Making& making,
                                               const isolation::PendingContainer& pending,
                                               int start_socket) {
    SlotInputs inputs;
    inputs.start_socket = start_socket;
    base::Fd user_namespace;
    if (making.bundle.config.linux.find(Namespace::User) != nullptr) {
        user_namespace = TRY(pending.user_namespace());
        inputs.user_namespace = user_namespace.get();
    }
    const auto& slots = making.draft.plan.slots;
    const bool told = std::any_of(slots.begin(), slots.end(), [](const SlotSource& source) {
        return source.kind == SlotSource::Kind::HookState;
    });
    if (told) {
        const pid_t pid = inner_pid(pending.process().pid());
        inputs.state = state_text(making.record, Status::Created, pid);
    }
    return prepare_slots(slots, inputs);
}

// What `exec` will need.
base::Status save_exec(const Making& making) {
    if (const auto record = exec_record_of(making.bundle.config, making.draft.filter)) {
        TRY(making.dir.save_exec(*record));
    }
    making.context.faults.hit("create: exec's record saved");
    return base::ok();
}

void note(Making& making, const std::vector<std::string>& notes) {
    for (const auto& text : notes) {
        making.context.log.warning(text);
        making.record.notes.push_back(text);
    }
}

base::Status hand_out(Making& making, const isolation::Created& created, bool keeps_terminal) {
    const auto& wiring = making.request.wiring;
    if (created.terminal_master && !keeps_terminal) {
        TRY(hand_over(wiring.console_socket, "/dev/ptmx", created.terminal_master.get()));
    }
    if (!wiring.pidfd_socket.empty()) {
        TRY(hand_over(wiring.pidfd_socket, "pidfd", created.process.pidfd()));
    }
    making.context.faults.hit("create: terminal handed over");
    if (!wiring.pid_file.empty()) {
        making.pid_file_written = true;
        TRY(write_pid_file(wiring.pid_file, created.process.pid()));
    }
    making.context.faults.hit("create: pid file written");
    return base::ok();
}

// All that is done for the waiting child from outside; what it is to be released with.
base::Result<std::vector<base::Fd>> prepare(Making& making,
                                            std::optional<cgroups::ContainerCgroup>& cgroup,
                                            isolation::PendingContainer& pending,
                                            int start_socket) {
    const auto& container = making.draft.plan.container;
    TRY(adopt(making, cgroup, pending));
    if (container.namespaces.fresh.has(Namespace::User)) {
        TRY(write_id_maps(pending, container.id_map));
    }
    if (cgroup) {
        TRY(delegate(making, *cgroup));
    }
    if (making.draft.rdt) {
        TRY(enter_intel_rdt(TRY(open_resctrl()),
                            *making.draft.rdt,
                            pending.process().pid(),
                            making.record,
                            [&making] { return making.dir.save(making.record); }));
    }
    note(making, making.draft.plan.warnings);
    note(making, TRY(pending.apply_process(container.process)));
    TRY(run_first_hooks(making, pending.process().pid()));
    if (making.bundle.config.linux.find(Namespace::Mount) == nullptr) {
        TRY(remember_host_root(making.dir.fd(), making.record.rootfs));
    }
    return open_slots(making, pending, start_socket);
}

base::Result<isolation::Created> build(Making& making,
                                       bool keeps_terminal,
                                       isolation::StdioFds stdio) {
    const auto& context = making.context;
    auto cgroup = TRY(make_cgroup(making));
    const auto start_socket = TRY(base::listen_at(making.dir.fd(), state::oci::kStartSocket, 0600));
    auto pending = TRY(isolation::PendingContainer::clone(making.draft.plan.container,
                                                          making.draft.recipe,
                                                          cgroup ? cgroup->clone_dir() : -1,
                                                          stdio));
    context.faults.hit("create: cloned");
    const auto slots = prepare(making, cgroup, pending, start_socket.get());
    if (!slots) {
        return pending.explain(slots.error());
    }
    std::vector<int> fds;
    fds.reserve(slots.value().size());
    for (const auto& slot : slots.value()) {
        fds.push_back(slot.get());
    }
    auto created = TRY(std::move(pending).release(fds, [&making] { return save_exec(making); }));
    context.faults.hit("create: released");
    note(making, created.notes);
    TRY(hand_out(making, created, keeps_terminal));
    making.record.phase = state::oci::Phase::Ready;
    TRY(making.dir.save(making.record));
    context.faults.hit("create: ready");
    return created;
}

base::Error undo(Making making, base::Error error) {
    const auto& context = making.context;
    if (making.pid_file_written) {
        (void)base::remove_file_at(AT_FDCWD, making.request.wiring.pid_file);
    }
    forget_cgroup_of_others(making.record);
    auto undone = remove_container(context, std::move(making.dir), std::move(making.record));
    if (!undone) {
        error.add_secondary(std::move(undone).error());
    }
    return error;
}

}  // namespace

base::Result<CreatedContainer> create_container(const Context& context,
                                                const CreateRequest& request,
                                                Bundle bundle,
                                                bool keeps_terminal,
                                                isolation::StdioFds stdio,
                                                isolation::WindowSize window) {
    const auto id = TRY(state::oci::ContainerId::parse(request.id));
    TRY(check_terminal(request, bundle.config, keeps_terminal));
    auto draft = TRY(draft_container(context, request, bundle, window));
    auto record = TRY(first_record(request, bundle, draft));
    auto dir = TRY(context.store.create(id));
    context.faults.hit("create: directory made");
    Making making{
        context, request, bundle, std::move(draft), std::move(dir), std::move(record), false};
    const auto recorded = [&]() -> base::Status {
        TRY(making.dir.save(making.record));
        context.faults.hit("create: recorded");
        TRY(making.dir.save_config(bundle.text));
        context.faults.hit("create: config copied");
        if (!notify_socket().empty()) {
            TRY(base::make_dirs(making.dir.fd(), kNotifyDirectory, 0755));
        }
        return base::ok();
    };
    if (auto saved = recorded(); !saved) {
        return undo(std::move(making), std::move(saved).error());
    }
    auto created = build(making, keeps_terminal, stdio);
    if (!created) {
        return undo(std::move(making), with_config_place(std::move(created).error()));
    }
    Container container{
        std::move(making.dir), std::move(making.record), std::move(created.value().process)};
    return CreatedContainer{std::move(container),
                            plan_start(bundle.config),
                            std::move(created.value().terminal_master)};
}

}  // namespace warren::engine::oci
