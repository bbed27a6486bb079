#include <csignal>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/engine/oci/bundle.hpp"
#include "runtime/engine/oci/exec_config.hpp"
#include "runtime/engine/oci/exec_plan.hpp"
#include "runtime/engine/oci/handover.hpp"
#include "runtime/engine/oci/host.hpp"
#include "runtime/engine/oci/intel_rdt.hpp"
#include "runtime/engine/oci/lookups.hpp"
#include "runtime/engine/oci/start.hpp"
#include "runtime/engine/stdio.hpp"
#include "runtime/spec/oci/check.hpp"
#include "runtime/spec/oci/parse.hpp"

namespace warren::engine::oci {

namespace {

using isolation::Namespace;

constexpr std::pair<Namespace, const char*> kNamespaceFiles[] = {{Namespace::Mount, "mnt"},
                                                                 {Namespace::Pid, "pid"},
                                                                 {Namespace::Uts, "uts"},
                                                                 {Namespace::Ipc, "ipc"},
                                                                 {Namespace::Net, "net"},
                                                                 {Namespace::Cgroup, "cgroup"},
                                                                 {Namespace::User, "user"},
                                                                 {Namespace::Time, "time"}};

// What init has of its own, whatever the config said: paths may have led to the host's.
base::Result<isolation::NamespaceSet> foreign_namespaces(const base::PidRef& init) {
    auto set = isolation::NamespaceSet::none();
    constexpr int kFlags = O_PATH | O_DIRECTORY;
    const auto own = TRY(base::open_at(AT_FDCWD, "/proc/self/ns", kFlags));
    const auto other =
        TRY(base::open_at(AT_FDCWD, "/proc/" + std::to_string(init.pid()) + "/ns", kFlags));
    for (const auto& [kind, file] : kNamespaceFiles) {
        struct stat ours {};

        struct stat theirs {};

        if (::fstatat(own.get(), file, &ours, 0) != 0) {
            continue;  // a kernel without
        }
        if (::fstatat(other.get(), file, &theirs, 0) != 0) {
            return base::errno_error("look at the container's namespaces");
        }
        if (ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev) {
            set.add(kind);
        }
    }
    return set;
}

// Whether a map in the form of /proc/PID/uid_map has an extent that starts at 0 inside.
bool maps_zero(const std::string& text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const auto digit = text.find_first_not_of(" \t", at);
        if (digit != std::string::npos && text.compare(digit, 2, "0 ") == 0) {
            return true;
        }
        const auto end = text.find('\n', at);
        at = end == std::string::npos ? text.size() : end + 1;
    }
    return false;
}

// What is to be joined, with the descriptors that it needs.
struct Entry {
    isolation::ContainerJoin join;
    std::vector<base::Fd> slots;
    base::Fd cgroup;
};

base::Result<Entry> plan_entry(const Context& context,
                               const Container& container,
                               const ExecConfig& config,
                               const std::string& sub) {
    Entry entry;
    const auto& init = *container.init;
    const std::string proc = "/proc/" + std::to_string(init.pid()) + "/";
    entry.join.namespaces = TRY(foreign_namespaces(init));
    if (entry.join.namespaces.has(Namespace::User)) {
        const auto map = TRY(base::read_file_at(AT_FDCWD, proc + "uid_map"));
        const auto setgroups = TRY(base::read_file_at(AT_FDCWD, proc + "setgroups"));
        entry.join.root_mapped = maps_zero(map);
        entry.join.setgroups_denied = setgroups.starts_with("deny");
    }
    if (!config.mount_namespace) {
        entry.join.root_slot = 0;
        entry.slots.push_back(TRY(base::open_at(AT_FDCWD, proc + "root", O_PATH | O_DIRECTORY)));
    }
    if (!container.record.cgroup.empty()) {
        const auto cgroup =
            TRY(cgroups::ContainerCgroup::open(context.host, cgroup_record(container.record)));
        entry.cgroup = TRY(cgroup.exec_dir(context.host, sub, init.pid()));
        // Had it ended before that, the path could be another container's.
        if (init.is_ending()) {
            return state_error(container.record.id, "is stopped, not running");
        }
    } else if (!sub.empty()) {
        return base::Error(base::ErrorKind::Unsupported,
                           "container \"" + container.record.id + "\" has no cgroup of its own");
    }
    return entry;
}

base::Result<spec::oci::Process> wanted_process(const ExecRequest& request,
                                                const spec::oci::Process& container) {
    spec::oci::Process process;
    if (!request.process_file.empty()) {
        const auto text =
            TRY(base::read_file_at(AT_FDCWD, request.process_file, spec::oci::kMaxDocument));
        process = TRY(spec::oci::parse_process(text, request.process_file));
        TRY(base::with_context(spec::oci::to_status(spec::oci::check_process(process)),
                               request.process_file));
    } else {
        process = TRY(process_of_flags(request, container));
        TRY(spec::oci::to_status(spec::oci::check_process(process, "/process")));
    }
    return process;
}

base::Status check_terminal(const ExecRequest& request, const spec::oci::Process& process) {
    const bool socket = !request.wiring.console_socket.empty();
    if (socket && !process.terminal) {
        return base::usage_error("a console socket needs a terminal");
    }
    if (process.terminal && request.detach && !socket) {
        return base::usage_error("a detached terminal needs a console socket to be handed to");
    }
    return base::ok();
}

base::Status check_state(const Context& context,
                         const Container& container,
                         const ExecRequest& request) {
    const auto status = TRY(status_of(context, container));
    if (status == Status::Creating || status == Status::Stopped) {
        return state_error(request.id, "is " + std::string(name(status)) + ", not running");
    }
    if (status == Status::Paused && !request.ignore_paused) {
        return state_error(request.id, "is paused: resume it first, or use --ignore-paused");
    }
    return base::ok();
}

base::Result<std::string> find_home(const base::PidRef& init, std::uint32_t uid) {
    const auto root = TRY(base::open_at(
        AT_FDCWD, "/proc/" + std::to_string(init.pid()) + "/root", O_PATH | O_DIRECTORY));
    return home_of(root.get(), uid);
}

// From the process to one that runs inside.
base::Result<isolation::Launched> enter(const Context& context,
                                        const Container& container,
                                        const ExecConfig& config,
                                        const ExecRequest& request,
                                        const spec::oci::Process& process,
                                        const isolation::StdioFds& stdio,
                                        const isolation::WindowSize& window) {
    auto entry = TRY(plan_entry(context, container, config, TRY(cgroup_of_flags(request.cgroups))));
    auto site = find_process_site();
    site.preserve_fds = request.wiring.preserve_fds;
    site.listen_fds = listen_fds();
    site.apparmor_profile_missing = lacks_apparmor_profile(process.apparmor_profile);
    TRY(check_preserved(site.preserve_fds + site.listen_fds));
    const auto home = TRY(find_home(*container.init, process.user.uid));
    auto planned = TRY(plan_process(process, home, site, "/process"));
    for (const auto& warning : planned.warnings) {
        context.log.warning(warning);
    }
    entry.join.process = std::move(planned.process);
    if (!process.console_size) {
        entry.join.process.window = window;
    }
    entry.join.process.personality = config.personality;
    if (process.exec_cpu_affinity) {
        entry.join.process.initial_cpus = process.exec_cpu_affinity->initial;
        entry.join.process.final_cpus = process.exec_cpu_affinity->last;
    }
    const auto recipe = TRY(isolation::plan_container_join(entry.join, config.filter));
    std::vector<int> slots;
    for (const auto& slot : entry.slots) {
        slots.push_back(slot.get());
    }
    const auto on_listener = [&](base::Fd listener) -> base::Status {
        if (!config.agent) {
            return base::fail("a seccomp listener that nobody asked for");
        }
        const pid_t init = container.init->pid();
        return hand_listener(
            *config.agent, container.record, Status::Running, init, init, std::move(listener));
    };
    TRY(follow_intel_rdt(container.record, ::getpid()));
    auto launched = isolation::join_container(
        entry.join, recipe, *container.init, entry.cgroup.get(), stdio, slots, on_listener);
    if (!launched) {
        return exec_words(std::move(launched).error(), process.args.front());
    }
    return launched;
}

base::Status hand_out(const ExecRequest& request, isolation::Launched& launched) {
    const auto& wiring = request.wiring;
    if (launched.terminal_master && !wiring.console_socket.empty()) {
        TRY(hand_over(wiring.console_socket, "/dev/ptmx", launched.terminal_master.get()));
        launched.terminal_master.reset();
    }
    if (!wiring.pidfd_socket.empty()) {
        TRY(hand_over(wiring.pidfd_socket, "pidfd", launched.process.pidfd()));
    }
    if (!wiring.pid_file.empty()) {
        TRY(write_pid_file(wiring.pid_file, launched.process.pid()));
    }
    return base::ok();
}

// A process that runs inside, and what it talks through unless it is detached.
struct Entered {
    isolation::Launched launched;
    std::optional<AttachedStdio> stdio;
};

base::Result<Entered> enter_container(const Context& context,
                                      const Container& container,
                                      const ExecRequest& request) {
    const auto& settings = context.settings;
    TRY(check_state(context, container, request));
    // What starts over had better not have parsed yet.
    const auto& summary = container.record.config;
    TRY(seal_unless(settings, !summary || summary->shuts_out_host_root));
    const auto config = TRY(load_exec_config(context, container, request.process_file.empty()));
    TRY(seal_unless(settings, config.shuts_out_host_root));
    const auto process = TRY(wanted_process(request, config.process));
    TRY(check_terminal(request, process));
    StdioRequest wanted;
    wanted.interactive = true;
    wanted.terminal = process.terminal && request.wiring.console_socket.empty();
    std::optional<AttachedStdio> stdio;
    if (!request.detach) {
        stdio.emplace(TRY(AttachedStdio::open(wanted)));
    }
    auto launched = TRY(enter(context,
                              container,
                              config,
                              request,
                              process,
                              stdio ? stdio->guest_side() : isolation::StdioFds{0, 1, 2},
                              stdio ? stdio->window() : isolation::WindowSize{}));
    return Entered{std::move(launched), std::move(stdio)};
}

}  // namespace

base::Result<int> Engine::exec(const ExecRequest& request) {
    const auto context = TRY(Context::open(settings_, log_, faults_, false));
    const auto container = TRY(open_container(context, request.id));
    auto entered = enter_container(context, container, request);
    if (!entered && container.init && container.init->is_ending()) {
        // Its files go after it: whatever failed then failed for this reason.
        return state_error(request.id, "ended while it was being entered");
    }
    auto [launched, stdio] = TRY(std::move(entered));
    for (const auto& note : launched.notes) {
        log_.warning(note);
    }
    if (auto handed = hand_out(request, launched); !handed) {
        (void)launched.process.signal(SIGKILL);
        return std::move(handed).error();
    }
    if (!stdio) {
        return 0;
    }
    return TRY(stdio->relay(launched)).shell_code();
}

}  // namespace warren::engine::oci
