#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/scope_exit.hpp"
#include "base/units.hpp"
#include "isolation/terminal.hpp"
#include "runtime/engine/oci/bundle.hpp"
#include "runtime/engine/oci/container.hpp"
#include "runtime/engine/oci/criu.hpp"
#include "runtime/engine/oci/handover.hpp"
#include "runtime/engine/oci/hooks.hpp"
#include "runtime/engine/oci/lookups.hpp"
#include "runtime/engine/oci/paths.hpp"
#include "runtime/engine/oci/restore.hpp"
#include "runtime/engine/oci/teardown.hpp"

namespace warren::engine::oci {

namespace {

constexpr const char* kPidFile = "criu.pid";
constexpr const char* kRootDirectory = "criu-root";

// What criu's command line leaves no room for.
base::Status refuse_unsupported(const spec::oci::Config& config) {
    const auto& hooks = config.hooks;
    const bool early = !hooks.prestart.empty() || !hooks.create_runtime.empty() ||
                       !hooks.create_container.empty() || !hooks.start_container.empty();
    if (early) {
        return base::Error(base::ErrorKind::Unsupported,
                           "restore: hooks that run before the program cannot be run again")
            .with_place("/hooks");
    }
    if (config.process && config.process->terminal) {
        return base::Error(base::ErrorKind::Unsupported, "restore: a terminal is not put back")
            .with_place("/process/terminal");
    }
    if (config.linux.intel_rdt) {
        return base::Error(base::ErrorKind::Unsupported,
                           "restore: processes are not put back into a resctrl group")
            .with_place("/linux/intelRdt");
    }
    return base::ok();
}

// criu wants a root that is a mount. In a mount namespace of our own: nothing of it is seen on the host, and it goes
// with us.
base::Result<std::string> mount_root(const std::string& directory, const std::string& rootfs) {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
        return base::errno_error("restore: make a mount namespace");
    }
    TRY(base::make_dirs(AT_FDCWD, directory, 0700));
    if (::mount(rootfs.c_str(), directory.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
        return base::errno_error("restore: mount the root");
    }
    return directory;
}

struct Restoring {
    const Context& context;
    const RestoreRequest& request;
    const Bundle& bundle;
    const Lookups& lookups;
    state::oci::ContainerDir dir;
    state::oci::Record record;
};

// The words, and the descriptors that criu gets for pipes that led out of the container.
struct Call {
    std::vector<std::string> words;
    std::vector<base::Fd> fds;
};

base::Status inherit(Call& call, int fd, const std::string& key) {
    base::Fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 16));
    if (!copy) {
        return base::errno_error("duplicate a descriptor");
    }
    call.words.insert(call.words.end(),
                      {"--inherit-fd", "fd[" + std::to_string(copy.get()) + "]:" + key});
    call.fds.push_back(std::move(copy));
    return base::ok();
}

base::Status add_descriptors(Call& call, const std::string& images) {
    const auto names = TRY(load_descriptors(images));
    for (std::size_t i = 0; i < names.size() && i < 3; ++i) {
        if (names[i].starts_with("pipe:") || names[i].starts_with("socket:")) {
            TRY(inherit(call, static_cast<int>(i), names[i]));
        }
    }
    return base::ok();
}

base::Status add_namespaces(Call& call, const spec::oci::Config& config) {
    for (const auto& entry : config.linux.namespaces) {
        if (entry.path.empty()) {
            continue;
        }
        const auto file = TRY(base::open_at(AT_FDCWD, entry.path, O_RDONLY));
        const bool net = entry.kind == isolation::Namespace::Net;
        TRY(inherit(call, file.get(), net ? "warren-net" : "warren-pid"));
    }
    return base::ok();
}

// What the container sees at its mount of the cgroup tree, as a directory of the host's.
std::string cgroup_source(const Restoring& restoring, const spec::oci::Config& config) {
    const auto& host = restoring.context.host;
    const auto* own = config.linux.find(isolation::Namespace::Cgroup);
    if (own == nullptr || !own->path.empty()) {
        return host.mount_point;
    }
    const auto& cgroup = restoring.record.cgroup;
    return host.mount_point + (cgroup.empty() ? host.own_path : cgroup);
}

base::Result<Call> plan_call(const Restoring& restoring, const std::string& root) {
    const auto& request = restoring.request;
    const auto& config = restoring.bundle.config;
    const auto images = TRY(image_directory(request.criu));
    const auto work =
        request.criu.work_path.empty() ? images : TRY(absolute_path(request.criu.work_path));
    Call call;
    call.words = criu_words(request.criu);
    call.words.insert(
        call.words.end(),
        {"--restore-detached",
         "--images-dir",
         images,
         "--work-dir",
         work,
         "--log-file",
         "restore.log",
         "-v4",
         "--root",
         root,
         "--pidfile",
         restoring.context.store.root() + "/" + restoring.record.id + "/" + kPidFile});
    for (std::size_t i = 0; i < config.mounts.size(); ++i) {
        const auto& mount = config.mounts[i];
        if (is_external(mount)) {
            const auto source = is_bind(mount) ? restoring.lookups.mounts[i].source
                                               : cgroup_source(restoring, config);
            call.words.insert(
                call.words.end(),
                {"--external", "mnt[" + clean_path(mount.destination) + "]:" + source});
        }
    }
    if (!restoring.record.cgroup.empty() && request.criu.cgroups != CgroupMode::Ignore) {
        call.words.insert(call.words.end(), {"--cgroup-root", restoring.record.cgroup});
    }
    if (!request.lsm_profile.empty()) {
        call.words.insert(call.words.end(), {"--lsm-profile", request.lsm_profile});
    }
    if (!request.lsm_mount_context.empty()) {
        call.words.insert(call.words.end(), {"--lsm-mount-context", request.lsm_mount_context});
    }
    TRY(add_descriptors(call, images));
    TRY(add_namespaces(call, config));
    return call;
}

base::Result<base::PidRef> restored_process(Restoring& restoring) {
    const auto text = TRY(base::read_file_at(restoring.dir.fd(), kPidFile));
    const auto end = text.find_first_not_of("0123456789");
    const auto pid = TRY(base::parse_uint(text.substr(0, end), 1, 1U << 30U));
    restoring.record.init = TRY(base::identify(static_cast<pid_t>(pid)));
    auto process = TRY(base::PidRef::open(*restoring.record.init));
    if (!process) {
        return base::fail("the restored process has ended at once");
    }
    return std::move(*process);
}

// criu before 3.19 neither saves nor restores it.
void warn_of_lost(const Restoring& restoring, pid_t pid) {
    const auto& process = restoring.bundle.config.process;
    const auto status = base::read_file_at(AT_FDCWD, "/proc/" + std::to_string(pid) + "/status");
    const bool lost = status && status.value().find("\nNoNewPrivs:\t0") != std::string::npos;
    if (process && process->no_new_privileges && lost) {
        restoring.context.log.warning("/process/noNewPrivileges: this criu does not put it back");
    }
}

base::Result<base::PidRef> restore(Restoring& restoring,
                                   const std::optional<cgroups::Placement>& placement) {
    const auto& context = restoring.context;
    std::optional<cgroups::ContainerCgroup> cgroup;
    if (placement) {
        cgroup = TRY(placement->create(
            context.host, restoring.bundle.config.linux.resources.value_or(cgroups::Resources())));
        if (cgroup && !restoring.record.scope) {
            restoring.record.cgroup_is_ours = true;
            TRY(restoring.dir.save(restoring.record));
        }
    }
    const auto own = context.store.root() + "/" + restoring.record.id;
    const auto root = TRY(mount_root(own + "/" + kRootDirectory, restoring.record.rootfs));
    const base::ScopeExit unmounted([&] {
        (void)::umount2(root.c_str(), MNT_DETACH);
        (void)::rmdir(root.c_str());
    });
    auto call = TRY(plan_call(restoring, root));
    std::vector<int> kept;
    for (const auto& fd : call.fds) {
        kept.push_back(fd.get());
    }
    // Its parent, criu, leaves it to us.
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
        return base::errno_error("become the restored process's parent");
    }
    TRY(run_criu(context, "restore", std::move(call.words), kept));
    auto process = TRY(restored_process(restoring));
    warn_of_lost(restoring, process.pid());
    TRY(restoring.dir.save(restoring.record));
    if (cgroup) {
        TRY(cgroup->adopt(context.host, process.pid()));
        set_cgroup_record(restoring.record, cgroup->record());
        restoring.record.cgroup_is_ours = true;
    }
    const auto& wiring = restoring.request.create.wiring;
    if (!wiring.pidfd_socket.empty()) {
        TRY(hand_over(wiring.pidfd_socket, "pidfd", process.pidfd()));
    }
    if (!wiring.pid_file.empty()) {
        TRY(write_pid_file(wiring.pid_file, process.pid()));
    }
    restoring.record.phase = state::oci::Phase::Ready;
    TRY(restoring.dir.save(restoring.record));
    return process;
}

base::Result<state::oci::Record> first_record(const RestoreRequest& request,
                                              const Bundle& bundle,
                                              const Lookups& lookups) {
    state::oci::Record record;
    record.id = request.create.id;
    record.oci_version = bundle.config.oci_version;
    record.bundle = bundle.path;
    record.rootfs = lookups.rootfs;
    record.created = base::format_time_now();
    record.owner = ::getuid();
    record.annotations = bundle.config.annotations;
    record.boot_id = TRY(base::boot_id());
    return record;
}

}  // namespace

base::Result<int> Engine::restore(const RestoreRequest& request) {
    const auto context = TRY(Context::open(settings_, log_, faults_, true));
    const auto bundle = TRY(read_bundle(request.create.bundle));
    TRY(refuse_unsupported(bundle.config));
    TRY(check_criu(settings_));
    const auto id = TRY(state::oci::ContainerId::parse(request.create.id));
    const auto looked_up = TRY(look_up(bundle.config, bundle.path));
    auto record = TRY(first_record(request, bundle, looked_up.lookups));
    std::optional<cgroups::Placement> placement;
    if (!settings_.cgroup_disabled) {
        cgroups::PlacementRequest place;
        place.cgroups_path = bundle.config.linux.cgroups_path;
        place.id = request.create.id;
        place.systemd = settings_.systemd_cgroup;
        place.rootless = context.rootless;
        place.annotations = bundle.config.annotations;
        placement = TRY(cgroups::Placement::resolve(context.host, place));
        set_cgroup_record(record, placement->record());
    }
    auto dir = TRY(context.store.create(id));
    TRY(dir.save(record));
    Restoring restoring{
        context, request, bundle, looked_up.lookups, std::move(dir), std::move(record)};
    auto saved = restoring.dir.save_config(bundle.text);
    auto process = saved ? oci::restore(restoring, placement)
                         : base::Result<base::PidRef>(std::move(saved).error());
    if (!process) {
        auto error = std::move(process).error();
        forget_cgroup_of_others(restoring.record);
        if (auto undone = destroy_container(context, std::move(restoring.dir), restoring.record);
            !undone) {
            error.add_secondary(std::move(undone).error());
        }
        return error;
    }
    run_late_hooks(bundle.config.hooks.poststart,
                   "/hooks/poststart",
                   state_text(restoring.record, Status::Running, process.value().pid()),
                   bundle.path,
                   log_);
    { const auto unlocked = std::move(restoring.dir); }
    if (request.detach) {
        return 0;
    }
    const auto exit = TRY(isolation::wait_forwarding(process.value()));
    if (!request.keep) {
        TRY(remove_ended(context, request.create.id, *restoring.record.init));
    }
    return exit.shell_code();
}

}  // namespace warren::engine::oci
