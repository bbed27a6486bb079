#include "isolation/container_check.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <string_view>

#include <sched.h>

#include "isolation/plan_check.hpp"
#include "isolation/plan_parts.hpp"
#include "isolation/process_attributes.hpp"
#include "isolation/recipe_builder.hpp"

namespace warren::isolation {

using base::Status;
using base::usage_error;

namespace {

constexpr std::uint32_t kOwnSlotLimit =
    static_cast<std::uint32_t>(child::kNullSlot) - child::kReleasedSlots;
constexpr std::uint32_t kPreserveLimit = 65536;
constexpr std::uint32_t kDeadlinePolicy = 6;  // SCHED_DEADLINE

// Released slots, each used once, and the child's own, counted.
class Slots {
public:
    Status take(const std::string& where, std::uint32_t slot) {
        if (slot >= child::kReleasedSlots) {
            return usage_error(where + ": no such slot: " + std::to_string(slot));
        }
        if (!taken_.insert(slot).second) {
            return usage_error(where + ": slot " + std::to_string(slot) + " used twice");
        }
        return base::ok();
    }

    Status own(const std::string& where) {
        if (++own_ > kOwnSlotLimit) {
            return usage_error(where + ": more than " + std::to_string(kOwnSlotLimit) +
                               " mounts of the container's own making");
        }
        return base::ok();
    }

private:
    std::set<std::uint32_t> taken_;
    std::uint32_t own_ = 0;
};

Status check_namespaces(const ContainerNamespaces& namespaces) {
    NamespaceSet seen = namespaces.fresh;
    for (const auto& ns : namespaces.joined) {
        if (seen.has(ns.type)) {
            return usage_error("namespaces: one type twice");
        }
        if (ns.fd < 0) {
            return usage_error("namespaces: one to join is not open");
        }
        seen.add(ns.type);
    }
    return base::ok();
}

Status check_name(const char* where, const std::string& name, bool own) {
    TRY(check_text(where, name));
    if (!name.empty() && !own) {
        return usage_error(std::string(where) + ": needs a uts namespace");
    }
    if (name.size() > kHostnameLimit) {
        return usage_error(std::string(where) + ": longer than " + std::to_string(kHostnameLimit) +
                           " bytes");
    }
    return base::ok();
}

Status check_sysctls(const ContainerSpec& spec) {
    for (const auto& [key, value] : spec.sysctls) {
        const std::string where = "sysctl \"" + key + '"';
        TRY(check_text(where, key));
        TRY(check_text(where, value));
        const std::string path = sysctl_path(key);
        TRY(check_path(where, '/' + path));
        const auto owner = sysctl_namespace(path);
        if (!owner) {
            return usage_error(where + ": belongs to the host, not to a namespace");
        }
        if (!spec.namespaces.has(*owner)) {
            return usage_error(where + ": the namespace it belongs to is the host's");
        }
    }
    return base::ok();
}

Status check_file_system(const std::string& where, const ContainerMount& mount) {
    TRY(check_text(where, mount.fs_type));
    std::size_t size = 0;
    for (const auto& [key, value] : mount.options) {
        TRY(check_text(where, key));
        TRY(check_text(where, value));
        size += key.size() + value.size() + 2;
    }
    constexpr std::size_t kPage = 4096;  // what mount(2) takes
    if (size > kPage) {
        return usage_error(where + ": options of more than " + std::to_string(kPage) + " bytes");
    }
    return base::ok();
}

Status check_remount(const ContainerSpec& spec, std::size_t index) {
    const auto& mount = spec.mounts[index];
    const std::string where = place("mounts", index);
    if (mount.of >= index || spec.mounts[mount.of].source == MountSource::Remount ||
        spec.mounts[mount.of].optional) {
        return usage_error(where + ": no mount to change");
    }
    for (const auto& [key, value] : mount.options) {
        if (value.size() > kOptionValueLimit) {
            return usage_error(where + ": option " + key + " of more than " +
                               std::to_string(kOptionValueLimit) + " bytes");
        }
    }
    return check_file_system(where, mount);
}

Status check_mounts(const ContainerSpec& spec, Slots& slots) {
    for (std::size_t i = 0; i < spec.mounts.size(); ++i) {
        const auto& mount = spec.mounts[i];
        const std::string where = place("mounts", i);
        TRY(check_path(where, mount.target));
        if (path_components(mount.target).empty()) {
            return usage_error(where + ": cannot mount on the root itself");
        }
        if (mount.copy_up && mount.fs_type != "tmpfs") {
            return usage_error(where + ": only a tmpfs can start with a copy");
        }
        switch (mount.source) {
            case MountSource::FileSystem:
                TRY(check_file_system(where, mount));
                TRY(slots.own(where));
                break;
            case MountSource::Slot:
                TRY(slots.take(where, mount.slot));
                break;
            case MountSource::Remount:
                TRY(check_remount(spec, i));
                break;
            case MountSource::HostPath:
                TRY(check_path(where, mount.host_path));
                TRY(slots.own(where));
                break;
        }
    }
    return base::ok();
}

Status check_devices(const ContainerSpec& spec, Slots& slots) {
    for (std::size_t i = 0; i < spec.devices.size(); ++i) {
        const auto& device = spec.devices[i];
        const std::string where = place("devices", i);
        TRY(check_path(where, device.path));
        if (path_components(device.path).empty()) {
            return usage_error(where + ": not a path of a node: " + device.path);
        }
        switch (device.source) {
            case ContainerDevice::Source::Make:
                break;
            case ContainerDevice::Source::Slot:
                TRY(slots.take(where, device.slot));
                break;
            case ContainerDevice::Source::HostPath:
                TRY(check_path(where, device.host_path));
                TRY(slots.own(where));
                break;
        }
    }
    for (std::size_t i = 0; i < spec.links.size(); ++i) {
        const auto& link = spec.links[i];
        TRY(check_path(place("links", i), link.path));
        TRY(check_text(place("links", i), link.target));
        if (path_components(link.path).empty()) {
            return usage_error(place("links", i) + ": not a path of a link: " + link.path);
        }
    }
    return base::ok();
}

Status check_root(const ContainerSpec& spec, Slots& slots) {
    const auto& root = spec.root;
    const bool placed = !spec.namespaces.fresh.has(Namespace::Mount) ||
                        !spec.create_container_hooks.empty() ||
                        root.source == MountSource::HostPath;
    if (placed) {
        TRY(check_path("root", root.path));
    }
    switch (root.source) {
        case MountSource::Slot:
            return slots.take("root", root.slot);
        case MountSource::HostPath:
            return slots.own("root");
        case MountSource::FileSystem:
        case MountSource::Remount:
            break;
    }
    return usage_error("root: not a file system of its own");
}

Status check_hooks(const std::vector<ContainerHook>& hooks,
                   const std::optional<std::uint32_t>& state_slot,
                   Slots& slots) {
    if (state_slot) {
        TRY(slots.take("hooks", *state_slot));
    }
    for (const auto& hook : hooks) {
        TRY(check_path(hook.site, hook.path));
        TRY(check_texts("args", hook.argv));
        TRY(check_texts("env", hook.env));
        if (!state_slot) {
            return usage_error(hook.site + ": no state to read");
        }
        constexpr std::uint32_t kLongest = std::numeric_limits<std::int32_t>::max() / 1000;
        if (hook.timeout_seconds && *hook.timeout_seconds > kLongest) {
            return usage_error(hook.site + ": a timeout of more than " + std::to_string(kLongest) +
                               " seconds");
        }
    }
    return base::ok();
}

Status check_cpus(const std::vector<std::uint32_t>& cpus) {
    for (const auto cpu : cpus) {
        if (cpu >= kCpuLimit) {
            return usage_error("CPU affinity: no such CPU: " + std::to_string(cpu));
        }
    }
    return base::ok();
}

Status check_container_process(const ContainerProcess& process, const SeccompProgram& filter) {
    TRY(check_process(process, filter));
    TRY(check_cpus(process.initial_cpus));
    TRY(check_cpus(process.final_cpus));
    TRY(check_text("AppArmor profile", process.apparmor_profile));
    TRY(check_text("SELinux label", process.selinux_label));
    if (process.preserve_fds > kPreserveLimit || process.listen_fds > process.preserve_fds) {
        return usage_error(
            "process: descriptors to preserve: " + std::to_string(process.preserve_fds) +
            ", to listen on: " + std::to_string(process.listen_fds));
    }
    const bool deadline = process.scheduler && process.scheduler->policy == kDeadlinePolicy;
    if (deadline && filter.listener) {
        return usage_error(
            "scheduler: SCHED_DEADLINE excludes a seccomp listener: such a process "
            "may not clone");
    }
    return base::ok();
}

}  // namespace

Status check_container(const ContainerSpec& spec, const SeccompProgram& filter) {
    const auto& namespaces = spec.namespaces;
    TRY(check_namespaces(namespaces));
    TRY(check_name("hostname", spec.hostname, namespaces.has(Namespace::Uts)));
    TRY(check_name("domainname", spec.domainname, namespaces.has(Namespace::Uts)));
    if (!spec.time_offsets.empty() && !namespaces.fresh.has(Namespace::Time)) {
        return usage_error("time offsets: need a fresh time namespace");
    }
    if (spec.late_network && (!namespaces.fresh.has(Namespace::Net) || namespaces.need_joiner())) {
        return usage_error("late network: needs a fresh network namespace, and no joiner");
    }
    TRY(check_sysctls(spec));
    Slots slots;
    TRY(slots.take("start socket", spec.start_socket_slot));
    TRY(check_root(spec, slots));
    TRY(check_mounts(spec, slots));
    TRY(check_devices(spec, slots));
    TRY(check_hooks(spec.create_container_hooks, spec.create_state_slot, slots));
    TRY(check_hooks(spec.start_container_hooks, spec.start_state_slot, slots));
    TRY(check_paths("masked paths", spec.masked_paths));
    TRY(check_paths("readonly paths", spec.readonly_paths));
    const auto& scheduler = spec.process.scheduler;
    const bool hooks = !spec.create_container_hooks.empty() || !spec.start_container_hooks.empty();
    if (hooks && scheduler && scheduler->policy == kDeadlinePolicy) {
        return usage_error(
            "scheduler: SCHED_DEADLINE excludes hooks of the container: such a "
            "process may not clone");
    }
    return spec.process.argv.empty() ? base::ok() : check_container_process(spec.process, filter);
}

Status check_container_join(const ContainerJoin& spec, const SeccompProgram& filter) {
    if (spec.process.console_device) {
        return usage_error("process: /dev/console belongs to the container's first process");
    }
    if (spec.root_slot && *spec.root_slot >= child::kReleasedSlots) {
        return usage_error("root: no such slot: " + std::to_string(*spec.root_slot));
    }
    return check_container_process(spec.process, filter);
}

}  // namespace warren::isolation
