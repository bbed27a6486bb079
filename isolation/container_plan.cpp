// From a container's values to its recipe. The order is that of the specification: namespaces, names, mounts, the
// createContainer hooks, the root, what covers parts of it, the terminal; then the wait; then what a start does.
#include <algorithm>
#include <array>
#include <utility>

#include <linux/sched.h>
#include <sys/sysmacros.h>

#include "isolation/container_check.hpp"
#include "isolation/container_mount_plan.hpp"
#include "isolation/container_process_plan.hpp"
#include "isolation/plan_parts.hpp"
#include "isolation/recipe_builder.hpp"

namespace warren::isolation {

using base::Result;

namespace {

std::string device_site(const ContainerDevice& device, std::size_t index) {
    return place("devices", index) + ": make " + device.path;
}

// A path as the directory it is in and its last component.
std::pair<std::string, std::string> split(const std::string& path) {
    auto components = path_components(path);
    std::string name = components.back();
    components.pop_back();
    std::string dir = "/";
    for (const auto& component : components) {
        dir += component + '/';
    }
    return {std::move(dir), std::move(name)};
}

// The plan of one container, in the order of its functions.
class ContainerPlan {
public:
    ContainerPlan(const ContainerSpec& spec, const SeccompProgram& filter)
        : spec_(spec),
          filter_(filter),
          hooked_(!spec.create_container_hooks.empty()),
          private_(spec.namespaces.fresh.has(Namespace::Mount)) {
        number_slots();
    }

    [[nodiscard]] Recipe build() &&;

private:
    void number_slots();
    void arrive();
    void enter_namespaces();
    void prepare_mounts();
    void clone_host_trees();
    void attach_root();
    void become_root();
    void name_it();
    void make_mounts();
    void renew_mount(std::size_t index);
    void enter_root();
    void attach_mounts();
    void make_devices();
    void make_links();
    void run_hooks(const std::vector<ContainerHook>& hooks,
                   const std::optional<std::uint32_t>& state_slot);
    void finish_root();
    void take_terminal();
    void wait();

    [[nodiscard]] std::uint32_t released_slots() const;

    const ContainerSpec& spec_;
    const SeccompProgram& filter_;
    RecipeBuilder recipe_;
    bool hooked_;   // createContainer hooks look at the root from outside
    bool private_;  // the mount namespace is the container's own
    std::uint32_t root_slot_ = 0;
    std::vector<std::uint32_t> mount_slots_;
    std::vector<std::uint32_t> device_slots_;
};

std::uint32_t first_id(const std::vector<IdRange>& ranges) {
    const bool root = std::any_of(
        ranges.begin(), ranges.end(), [](const IdRange& range) { return range.inside == 0; });
    return root || ranges.empty() ? 0 : ranges.front().inside;
}

Recipe ContainerPlan::build() && {
    arrive();
    enter_namespaces();
    prepare_mounts();
    attach_root();
    become_root();
    name_it();
    make_mounts();
    if (hooked_) {
        recipe_.enter_root(root_slot_);
    } else {
        enter_root();
    }
    attach_mounts();
    make_devices();
    make_links();
    if (hooked_) {
        recipe_.leave_root(root_slot_);
        run_hooks(spec_.create_container_hooks, spec_.create_state_slot);
        enter_root();
    }
    finish_root();
    take_terminal();
    wait();
    run_hooks(spec_.start_container_hooks, spec_.start_state_slot);
    if (!spec_.process.argv.empty()) {
        become_program(recipe_, spec_.process, filter_, spec_.setgroups_denied);
    }
    return std::move(recipe_).finish();
}

void ContainerPlan::number_slots() {
    std::uint32_t own = kFirstOwnSlot;
    root_slot_ = spec_.root.source == MountSource::Slot ? spec_.root.slot : own++;
    for (const auto& mount : spec_.mounts) {
        switch (mount.source) {
            case MountSource::Slot:
                mount_slots_.push_back(mount.slot);
                break;
            case MountSource::Remount:
                mount_slots_.push_back(mount_slots_.at(mount.of));
                break;
            case MountSource::FileSystem:
            case MountSource::HostPath:
                mount_slots_.push_back(own++);
                break;
        }
    }
    for (const auto& device : spec_.devices) {
        switch (device.source) {
            case ContainerDevice::Source::Make:
                device_slots_.push_back(0);
                break;
            case ContainerDevice::Source::Slot:
                device_slots_.push_back(device.slot);
                break;
            case ContainerDevice::Source::HostPath:
                device_slots_.push_back(own++);
                break;
        }
    }
}

std::uint32_t ContainerPlan::released_slots() const {
    std::uint32_t count = spec_.start_socket_slot + 1;
    const auto need = [&count](std::uint32_t slot) {
        count = std::max(count, slot < child::kReleasedSlots ? slot + 1 : 0);
    };
    need(root_slot_);
    std::for_each(mount_slots_.begin(), mount_slots_.end(), need);
    for (std::size_t i = 0; i < device_slots_.size(); ++i) {
        if (spec_.devices[i].source == ContainerDevice::Source::Slot) {
            need(device_slots_[i]);
        }
    }
    need(spec_.create_state_slot.value_or(0));
    need(spec_.start_state_slot.value_or(0));
    return count;
}

void ContainerPlan::arrive() {
    if (!spec_.rootless) {
        recipe_.set_non_dumpable();
    }
    if (spec_.late_network) {
        recipe_.unshare(CLONE_NEWNET, "network");
    }
    recipe_.wait_release(released_slots());
    if (!spec_.time_offsets.empty()) {
        recipe_.unshare_time(spec_.time_offsets, true);
    }
    if (spec_.rootless) {
        recipe_.set_non_dumpable();
    }
    open_labels(recipe_, spec_.process);
    make_keyring(recipe_, spec_.process);
    recipe_.set_umask(kDefaultUmask);
}

// The mount namespace last: it changes what paths mean.
void ContainerPlan::enter_namespaces() {
    constexpr std::array<std::pair<Namespace, const char*>, 6> kOrder{
        {{Namespace::Uts, "uts"},
         {Namespace::Ipc, "ipc"},
         {Namespace::Net, "net"},
         {Namespace::Cgroup, "cgroup"},
         {Namespace::Time, "time"},
         {Namespace::Mount, "mount"}}};
    if (spec_.namespaces.need_joiner()) {
        return;
    }
    for (const auto& [type, name] : kOrder) {
        if (spec_.namespaces.joins(type)) {
            NamespaceSet one = NamespaceSet::none();
            one.add(type);
            recipe_.enter_namespace(name,
                                    static_cast<std::uint32_t>(child::kNamespaceSlot) +
                                        static_cast<std::uint32_t>(type),
                                    one.clone_flags());
        }
    }
}

void ContainerPlan::prepare_mounts() {
    // What the child clones of the host's tree can be the host's slave only while that tree is.
    const bool enslaved =
        std::any_of(spec_.mounts.begin(), spec_.mounts.end(), [](const ContainerMount& mount) {
            // A change of one that was cloned is as good.
            return (mount.source == MountSource::HostPath ||
                    mount.source == MountSource::Remount) &&
                   std::any_of(mount.propagation.begin(),
                               mount.propagation.end(),
                               [](const Propagation& propagation) {
                                   return propagation.kind == Propagation::Kind::Slave ||
                                          propagation.kind == Propagation::Kind::Shared;
                               });
        });
    if (private_ && enslaved) {
        recipe_.set_propagation("make all mounts slaves of the host's",
                                -1,
                                propagation_flag(Propagation::Kind::Slave),
                                child::kRecursive);
    } else if (private_) {
        recipe_.private_propagation();
    }
    clone_host_trees();
}

void ContainerPlan::clone_host_trees() {
    for (std::size_t i = 0; i < spec_.mounts.size(); ++i) {
        const auto& mount = spec_.mounts[i];
        if (mount.source == MountSource::HostPath) {
            recipe_.clone_host_tree(mount_site(mount, i) + ": clone " + mount.host_path,
                                    mount_slots_[i],
                                    mount.host_path,
                                    recursion(mount.recursive) | optionality(mount.optional));
        }
    }
    for (std::size_t i = 0; i < spec_.devices.size(); ++i) {
        const auto& device = spec_.devices[i];
        if (device.source == ContainerDevice::Source::HostPath) {
            recipe_.clone_host_tree(device_site(device, i) + ": clone " + device.host_path,
                                    device_slots_[i],
                                    device.host_path,
                                    0);
        }
    }
}

// Over "/" where nobody needs to find it by its path: that exists everywhere, and who stands in the old root does not
// see what covers it.
void ContainerPlan::attach_root() {
    if (spec_.root.source == MountSource::HostPath) {
        recipe_.clone_host_tree(
            "root: clone " + spec_.root.path, root_slot_, spec_.root.path, child::kRecursive);
    }
    recipe_.attach_root(root_slot_, private_ && !hooked_ ? "/" : spec_.root.path);
    if (!private_) {
        // In a tree that is shared, what is attached becomes shared as well.
        recipe_.set_propagation("root: make it private",
                                static_cast<std::int32_t>(root_slot_),
                                propagation_flag(Propagation::Kind::Private),
                                child::kRecursive);
    }
}

// So that all that is made from here on belongs to the container's root.
void ContainerPlan::become_root() {
    if (!spec_.namespaces.has(Namespace::User)) {
        return;
    }
    if (!spec_.setgroups_denied) {
        recipe_.set_groups({});
    }
    recipe_.set_gid(first_id(spec_.id_map.gids));
    recipe_.set_uid(first_id(spec_.id_map.uids));
}

void ContainerPlan::name_it() {
    recipe_.setsid();
    if (spec_.namespaces.fresh.has(Namespace::Cgroup)) {
        // Not by clone3: with CLONE_INTO_CGROUP the parent's cgroup would be the namespace's root.
        recipe_.unshare(CLONE_NEWCGROUP, "cgroup");
    }
    if (!spec_.hostname.empty()) {
        recipe_.set_hostname(spec_.hostname);
    }
    if (!spec_.domainname.empty()) {
        recipe_.set_domainname(spec_.domainname);
    }
    for (const auto& [key, value] : spec_.sysctls) {
        std::string site = "sysctl ";
        site += key;
        recipe_.write_proc(site + ": set", "sys/" + sysctl_path(key), value, 0);
    }
    for (std::size_t i = 0; i < spec_.netlink_requests.size(); ++i) {
        recipe_.netlink_request(place("network", i) + ": set up", spec_.netlink_requests[i]);
    }
}

// proc and sysfs can be mounted in a user namespace only while a full instance of each is in sight: before the old
// root goes.
void ContainerPlan::make_mounts() {
    bool some_made = false;
    for (std::size_t i = 0; i < spec_.mounts.size(); ++i) {
        const auto& mount = spec_.mounts[i];
        if (mount.source == MountSource::FileSystem) {
            open_file_system(recipe_, mount, mount_site(mount, i), mount_slots_[i]);
            some_made = true;
        } else if (some_made && mount.source != MountSource::Remount) {
            renew_mount(i);
        }
    }
    if (!spec_.masked_paths.empty()) {
        open_mask(recipe_);
    }
}

void ContainerPlan::renew_mount(std::size_t index) {
    if (!spec_.mounts_listed_in_order || !private_ || spec_.root.no_pivot) {
        return;
    }
    const auto& mount = spec_.mounts[index];
    const std::uint16_t depth = mount.is_directory ? child::kDirectory : std::uint16_t{0};
    // Hooks look at the host's tree.
    const std::uint16_t trace = hooked_ ? child::kTidy : std::uint16_t{0};
    recipe_.renew_mount(mount_site(mount, index) + ": copy it",
                        mount_slots_[index],
                        depth | trace | optionality(mount.optional));
}

void ContainerPlan::enter_root() {
    if (!private_) {
        recipe_.enter_root(root_slot_);
    } else if (spec_.root.no_pivot) {
        recipe_.hide_host();
        if (hooked_) {
            recipe_.attach_root(root_slot_, "/");
        }
        recipe_.enter_root(root_slot_);
    } else {
        recipe_.pivot_root(root_slot_);
    }
}

void ContainerPlan::attach_mounts() {
    for (std::size_t i = 0; i < spec_.mounts.size(); ++i) {
        const auto& mount = spec_.mounts[i];
        const bool changes_later =
            std::any_of(spec_.mounts.begin(), spec_.mounts.end(), [i](const ContainerMount& other) {
                return other.source == MountSource::Remount && other.of == i;
            });
        attach_mount(recipe_, mount, mount_site(mount, i), mount_slots_[i], changes_later);
    }
}

void ContainerPlan::make_devices() {
    for (std::size_t i = 0; i < spec_.devices.size(); ++i) {
        const auto& device = spec_.devices[i];
        const std::string site = device_site(device, i);
        if (device.source != ContainerDevice::Source::Make) {
            recipe_.make_target(site, device.path, 0);
            recipe_.set_propagation(site,
                                    static_cast<std::int32_t>(device_slots_[i]),
                                    propagation_flag(Propagation::Kind::Private),
                                    0);
            recipe_.place_mount(site, device_slots_[i], 0);
            continue;
        }
        constexpr std::array<mode_t, 3> kTypes{S_IFCHR, S_IFBLK, S_IFIFO};
        const auto [dir, name] = split(device.path);
        recipe_.make_target(site, dir, child::kDirectory);
        recipe_.make_node(
            site,
            name,
            {kTypes.at(static_cast<std::size_t>(device.type)) | (device.mode & 07777U),
             device.major,
             device.minor,
             device.uid,
             device.gid,
             ::makedev(device.major, device.minor)});
    }
}

void ContainerPlan::make_links() {
    for (std::size_t i = 0; i < spec_.links.size(); ++i) {
        const auto& link = spec_.links[i];
        const std::string site = place("links", i) + ": make " + link.path;
        const auto [dir, name] = split(link.path);
        recipe_.make_target(site, dir, child::kDirectory);
        recipe_.make_link(site, name, link.target, link.replace);
    }
}

void ContainerPlan::run_hooks(const std::vector<ContainerHook>& hooks,
                              const std::optional<std::uint32_t>& state_slot) {
    for (const auto& hook : hooks) {
        const std::vector<std::string> path_only{hook.path};
        const std::int32_t timeout =
            hook.timeout_seconds ? static_cast<std::int32_t>(*hook.timeout_seconds) * 1000 : -1;
        recipe_.run_hook(hook.site + ": run " + hook.path,
                         state_slot.value_or(0),
                         hook.path,
                         hook.argv.empty() ? path_only : hook.argv,
                         hook.env,
                         timeout);
    }
}

void ContainerPlan::finish_root() {
    const std::string& cwd = spec_.process.cwd;
    if (!path_components(cwd).empty()) {
        recipe_.make_target("cwd: make " + cwd, cwd, child::kDirectory | child::kOptional);
    }
    close_paths(recipe_, spec_.readonly_paths, spec_.masked_paths);
}

void ContainerPlan::take_terminal() {
    const auto& process = spec_.process;
    if (process.stdio == Stdio::Terminal) {
        recipe_.open_terminal(process.window, process.uid);
        if (process.console_device) {
            recipe_.make_target("terminal: make /dev/console", "/dev/console", child::kNoSymlinks);
            recipe_.bind_console();
        }
    }
    recipe_.take_stdio(process.stdio);
    if (process.stdio != Stdio::Terminal) {
        recipe_.own_null();
    }
    if (spec_.root.readonly) {
        recipe_.readonly_root();
    }
    if (spec_.root.propagation) {
        recipe_.set_propagation("root: set its propagation",
                                -1,
                                propagation_flag(spec_.root.propagation->kind),
                                recursion(spec_.root.propagation->recursive));
    }
}

void ContainerPlan::wait() {
    // Who waits can be ended by a signal, as any process.
    recipe_.reset_signals();
    std::vector<std::int32_t> kept{static_cast<std::int32_t>(spec_.start_socket_slot)};
    if (!spec_.start_container_hooks.empty()) {
        kept.push_back(static_cast<std::int32_t>(spec_.start_state_slot.value_or(0)));
    }
    close_others(recipe_, spec_.process, std::move(kept));
    recipe_.report_created();
    recipe_.wait_start(spec_.start_socket_slot);
}

}  // namespace

Result<Recipe> plan_container(const ContainerSpec& spec, const SeccompProgram& filter) {
    TRY(check_container(spec, filter));
    return ContainerPlan(spec, filter).build();
}

}  // namespace warren::isolation
