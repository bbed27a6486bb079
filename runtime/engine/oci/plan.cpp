#include "runtime/engine/oci/plan.hpp"

#include <algorithm>

#include "netns/messages.hpp"
#include "runtime/engine/oci/plan_parts.hpp"

namespace warren::engine::oci {

using isolation::Namespace;
using spec::oci::Config;

base::Error unsupported(std::string what, std::string place) {
    return base::Error(base::ErrorKind::Unsupported, std::move(what)).with_place(std::move(place));
}

std::uint32_t add_slot(ContainerPlan& plan, SlotSource source) {
    plan.slots.push_back(std::move(source));
    return static_cast<std::uint32_t>(plan.slots.size() - 1);
}

namespace {

// Parsed, and nothing is done about it.
base::Status refuse_unsupported(const Planning& planning) {
    const auto& linux = planning.config.linux;
    if (!linux.net_devices.empty()) {
        return unsupported(
            "netDevices, of version 1.3 of the specification, is not supported: move interfaces by "
            "the network's engine",
            "/linux/netDevices");
    }
    if (linux.memory_policy) {
        return unsupported(
            "memoryPolicy, of version 1.3 of the specification, is not supported: use "
            "resources.cpu.mems",
            "/linux/memoryPolicy");
    }
    return base::ok();
}

void plan_namespaces(const Planning& planning, isolation::ContainerSpec& container) {
    for (const auto& entry : planning.config.linux.namespaces) {
        if (entry.path.empty()) {
            container.namespaces.fresh.add(entry.kind);
        }
    }
    container.namespaces.joined = planning.lookups.joined;
    const auto& hooks = planning.config.hooks;
    container.late_network = container.namespaces.fresh.has(Namespace::Net) &&
                             !container.namespaces.need_joiner() && hooks.prestart.empty() &&
                             hooks.create_runtime.empty();
    const auto add_offset = [&](const std::optional<spec::oci::TimeOffset>& offset, bool boottime) {
        if (offset) {
            container.time_offsets.push_back({boottime, offset->seconds, offset->nanoseconds});
        }
    };
    add_offset(planning.config.linux.monotonic, false);
    add_offset(planning.config.linux.boottime, true);
}

std::vector<isolation::ContainerHook> plan_hooks(const std::vector<spec::oci::Hook>& hooks,
                                                 const std::string& kind) {
    std::vector<isolation::ContainerHook> out;
    for (std::size_t i = 0; i < hooks.size(); ++i) {
        isolation::ContainerHook hook;
        hook.site = "/hooks/" + kind + "/" + std::to_string(i);
        hook.path = hooks[i].path;
        hook.argv = hooks[i].args;
        hook.env = hooks[i].env;
        hook.timeout_seconds = hooks[i].timeout;
        out.push_back(std::move(hook));
    }
    return out;
}

void plan_steps(const Planning& planning, ContainerPlan& plan) {
    auto& container = plan.container;
    const auto& hooks = planning.config.hooks;
    container.create_container_hooks = plan_hooks(hooks.create_container, "createContainer");
    container.start_container_hooks = plan_hooks(hooks.start_container, "startContainer");
    const auto add = [&](SlotSource::Kind kind) {
        SlotSource source;
        source.kind = kind;
        return add_slot(plan, std::move(source));
    };
    container.start_socket_slot = add(SlotSource::Kind::StartSocket);
    if (!hooks.create_container.empty()) {
        container.create_state_slot = add(SlotSource::Kind::HookState);
    }
    if (!hooks.start_container.empty()) {
        container.start_state_slot = add(SlotSource::Kind::HookState);
    }
}

bool writes_cgroup_tree(const Config& config) {
    return std::any_of(config.mounts.begin(), config.mounts.end(), [](const auto& mount) {
        constexpr std::uint64_t kReadOnly = 1;  // MOUNT_ATTR_RDONLY
        return (mount.type == "cgroup" || mount.type == "cgroup2") &&
               (mount.options.attributes.set & kReadOnly) == 0;
    });
}

void plan_cgroup(const Planning& planning, ContainerPlan& plan) {
    const auto& linux = planning.config.linux;
    if (planning.site.cgroup_disabled) {
        return;
    }
    cgroups::PlacementRequest request;
    request.cgroups_path = linux.cgroups_path;
    request.id = planning.site.id;
    request.systemd = planning.site.systemd_cgroup;
    request.rootless = planning.site.rootless;
    request.annotations = planning.config.annotations;
    plan.placement = std::move(request);
    plan.resources = linux.resources.value_or(cgroups::Resources());
    plan.delegates_cgroup = linux.is_new(Namespace::User) && linux.is_new(Namespace::Cgroup) &&
                            writes_cgroup_tree(planning.config);
}

base::Status plan_first_process(const Planning& planning, ContainerPlan& plan) {
    if (!planning.config.process) {
        return base::ok();  // it is created and waits; `start` refuses
    }
    const auto& process = *planning.config.process;
    auto planned = TRY(plan_process(process, planning.lookups.home, planning.site, "/process"));
    plan.container.process = std::move(planned.process);
    plan.warnings.insert(plan.warnings.end(), planned.warnings.begin(), planned.warnings.end());
    const auto& linux = planning.config.linux;
    if (linux.personality) {
        plan.container.process.personality = linux.personality->domain;
    }
    plan.container.process.console_device =
        plan.container.process.stdio == isolation::Stdio::Terminal;
    return base::ok();
}

}  // namespace

std::optional<isolation::SeccompConfig> plan_seccomp(const Config& config) {
    if (!config.linux.seccomp) {
        return std::nullopt;
    }
    isolation::SeccompConfig seccomp;
    seccomp.profile = isolation::SeccompProfile::Oci;
    seccomp.file_text = config.linux.seccomp->profile;
    return seccomp;
}

base::Result<ContainerPlan> plan_container(const Config& config,
                                           const Lookups& lookups,
                                           const Site& site) {
    const Planning planning{config, lookups, site};
    TRY(refuse_unsupported(planning));
    ContainerPlan plan;
    plan_namespaces(planning, plan.container);
    plan.container.id_map = config.linux.ids;
    plan.container.rootless = !site.clones_mounts;
    plan.container.hostname = config.hostname;
    plan.container.domainname = config.domainname;
    plan.container.sysctls.assign(config.linux.sysctl.begin(), config.linux.sysctl.end());
    if (config.linux.is_new(Namespace::Net)) {
        plan.container.netlink_requests.push_back(TRY(netns::loopback_up()).bytes);
    }
    if (!config.linux.mount_label.empty() && !site.selinux) {
        plan.warnings.emplace_back(
            "/linux/mountLabel: SELinux is not enabled on this host, nothing is labelled");
    }
    TRY(plan_root(planning, plan));
    TRY(plan_mounts(planning, plan));
    TRY(plan_devices(planning, plan));
    plan.container.masked_paths = config.linux.masked_paths;
    plan.container.readonly_paths = config.linux.readonly_paths;
    plan_steps(planning, plan);
    TRY(plan_first_process(planning, plan));
    plan_notify(planning, plan);
    plan.seccomp = plan_seccomp(config);
    plan_cgroup(planning, plan);
    return plan;
}

}  // namespace warren::engine::oci
