#include <algorithm>
#include <array>

#include <sys/mount.h>

#include "runtime/engine/oci/notify.hpp"
#include "runtime/engine/oci/plan_parts.hpp"
#include "runtime/spec/oci/check.hpp"

namespace warren::engine::oci {

using isolation::ContainerMount;
using isolation::MountSource;
using isolation::Namespace;
using spec::oci::Mount;

bool is_bind(const Mount& mount) {
    return mount.options.bind || mount.type == "bind" || mount.type == "rbind";
}

namespace {

isolation::Propagation translate(const spec::oci::Propagation& from) {
    isolation::Propagation to;
    switch (from.kind) {
        case spec::oci::PropagationKind::Private:
            to.kind = isolation::Propagation::Kind::Private;
            break;
        case spec::oci::PropagationKind::Shared:
            to.kind = isolation::Propagation::Kind::Shared;
            break;
        case spec::oci::PropagationKind::Slave:
            to.kind = isolation::Propagation::Kind::Slave;
            break;
        case spec::oci::PropagationKind::Unbindable:
            to.kind = isolation::Propagation::Kind::Unbindable;
            break;
    }
    to.recursive = from.recursive;
    return to;
}

// The recursive words are applied first and the others after them; the config means it the other way round where both
// name one attribute.
void plan_attributes(const spec::oci::MountOptions& options, ContainerMount& out) {
    const auto& below = options.recursive;
    const std::uint64_t taken = below.set | below.clear;
    out.below = {below.set, below.clear};
    out.attributes = {options.attributes.set & ~taken, options.attributes.clear & ~taken};
    for (const auto& propagation : options.propagation) {
        out.propagation.push_back(translate(propagation));
    }
}

base::Error at_options(base::Error error, const std::string& place) {
    return std::move(error).with_place(place + "/options");
}

// A range whose `outside` is an id of the container's user namespace, seen from the host.
base::Result<isolation::IdRange> absolute_range(const spec::oci::MountIdRange& from,
                                                const std::vector<isolation::IdRange>& container,
                                                const std::string& place) {
    if (!from.relative) {
        return from.range;
    }
    const auto& range = from.range;
    for (const auto& extent : container) {
        const bool inside = range.outside >= extent.inside &&
                            range.outside - extent.inside < extent.count &&
                            range.count <= extent.count - (range.outside - extent.inside);
        if (inside) {
            return isolation::IdRange{
                range.inside, extent.outside + (range.outside - extent.inside), range.count};
        }
    }
    return at_options(
        base::usage_error("idmap: @" + std::to_string(range.outside) +
                          " is not mapped as a whole by the container's user namespace"),
        place);
}

base::Result<std::vector<isolation::IdRange>> absolute_ranges(
    const std::vector<spec::oci::MountIdRange>& ranges,
    const std::vector<isolation::IdRange>& container,
    const std::string& place) {
    std::vector<isolation::IdRange> out;
    out.reserve(ranges.size());
    for (const auto& range : ranges) {
        out.push_back(TRY(absolute_range(range, container, place)));
    }
    return out;
}

base::Status plan_ids(const Planning& planning,
                      const Mount& mount,
                      const std::string& place,
                      SlotSource& source) {
    const auto& options = mount.options;
    const bool own = !mount.ids.uids.empty() || !mount.ids.gids.empty();
    const bool listed = !options.uids.empty() || !options.gids.empty();
    if (!own && options.id_map == spec::oci::MountIdMap::None) {
        return base::ok();
    }
    source.ids_recursive = options.id_map == spec::oci::MountIdMap::Recursive;
    if (own) {
        source.ids = SlotSource::Ids::Own;
        source.map = mount.ids;
        return base::ok();
    }
    const auto& container = planning.config.linux.ids;
    if (listed) {
        source.ids = SlotSource::Ids::Own;
        source.map.uids = TRY(absolute_ranges(options.uids, container.uids, place));
        source.map.gids = TRY(absolute_ranges(options.gids, container.gids, place));
        if (source.map.uids.empty()) {
            source.map.uids = source.map.gids;
        }
        if (source.map.gids.empty()) {
            source.map.gids = source.map.uids;
        }
        return base::ok();
    }
    if (!planning.config.linux.find(Namespace::User)) {
        return at_options(
            base::usage_error("idmap without maps needs a user namespace of the container"), place);
    }
    source.ids = SlotSource::Ids::Container;
    return base::ok();
}

// A bind of `path`, opened by us or, where we may not, by the child.
base::Status bind_from(const Planning& planning,
                       const Mount& mount,
                       const std::string& path,
                       bool recursive,
                       const std::string& place,
                       ContainerMount& out,
                       ContainerPlan& plan) {
    SlotSource source;
    source.kind = SlotSource::Kind::Bind;
    source.path = path;
    source.place = place;
    source.recursive = recursive;
    source.follow = !mount.options.src_nofollow;
    TRY(plan_ids(planning, mount, place, source));
    if (planning.site.clones_mounts) {
        out.source = MountSource::Slot;
        out.slot = add_slot(plan, std::move(source));
        return base::ok();
    }
    if (source.ids != SlotSource::Ids::Same) {
        return unsupported("mapping the ids of a mount needs the host's root", place);
    }
    if (!source.follow) {
        return unsupported("\"src-nofollow\" is not supported without the host's root",
                           place + "/options");
    }
    out.source = MountSource::HostPath;
    out.host_path = path;
    out.recursive = recursive;
    return base::ok();
}

// What stands for a file system that the container's user namespace may not mount, since the namespace that it shows
// is not its own.
std::string host_stand_in(const Planning& planning, const std::string& type) {
    const auto& linux = planning.config.linux;
    if (!linux.is_new(Namespace::User)) {
        return {};
    }
    const auto lacks = [&](Namespace kind) { return linux.find(kind) == nullptr; };
    if (type == "sysfs" && lacks(Namespace::Net)) {
        return "/sys";
    }
    if (type == "proc" && lacks(Namespace::Pid)) {
        return "/proc";
    }
    if (type == "mqueue" && lacks(Namespace::Ipc)) {
        return "/dev/mqueue";
    }
    if (type == "cgroup2" && lacks(Namespace::Cgroup)) {
        return planning.site.cgroup_mount;
    }
    return {};
}

// Words of the superblock, and those that are the file system's own.
base::Status file_system_options(const Mount& mount,
                                 const std::string& place,
                                 ContainerMount& out) {
    for (const auto& word : mount.options.superblock) {
        out.options.emplace_back(word, "");
    }
    if (out.fs_type == "cgroup2" && mount.type == "cgroup") {
        return base::ok();  // its words are those of cgroup v1
    }
    for (const auto& [key, value] : mount.options.data) {
        if (value && value->empty()) {
            return at_options(base::usage_error("\"" + key + "=\" has no value"), place);
        }
        out.options.emplace_back(key, value.value_or(""));
    }
    return base::ok();
}

base::Status file_system(const Planning& planning,
                         const Mount& mount,
                         const std::string& place,
                         ContainerMount& out) {
    out.copy_up = mount.options.tmpcopyup;
    if (out.copy_up && mount.type != "tmpfs") {
        return at_options(base::usage_error("\"tmpcopyup\" is for a tmpfs"), place);
    }
    if (!mount.source.empty()) {
        out.options.emplace_back("source", mount.source);
    }
    TRY(file_system_options(mount, place, out));
    const bool labelled = planning.site.selinux && !planning.config.linux.mount_label.empty() &&
                          mount.type != "proc" && mount.type != "sysfs" && out.fs_type != "cgroup2";
    if (labelled) {
        out.options.emplace_back("context", planning.config.linux.mount_label);
    }
    return base::ok();
}

void warn_of_data(const Mount& mount, const std::string& place, ContainerPlan& plan) {
    for (const auto& [key, value] : mount.options.data) {
        plan.warnings.push_back(place + "/options: \"" + base::printable(key) +
                                "\" means nothing for a bind mount");
    }
}

// Of each entry of the config: its index among the container's mounts. A link that was copied has none.
using Planned = std::vector<std::optional<std::size_t>>;

// What the mount is keeps to itself: `bind` changes the mount only, and so does any remount of a bind, whose file
// system is the host's.
base::Status plan_remount(const Planning& planning,
                          std::size_t index,
                          const Planned& planned,
                          ContainerPlan& plan) {
    const Mount& mount = planning.config.mounts[index];
    const std::string place = "/mounts/" + std::to_string(index);
    const auto entry = spec::oci::remounted(planning.config, index);
    const auto of = entry ? planned.at(*entry) : std::nullopt;
    if (!of) {
        return base::usage_error("nothing to remount is mounted at " + mount.destination)
            .with_place(place + "/destination");
    }
    const auto& earlier = plan.container.mounts[*of];
    ContainerMount out;
    out.source = MountSource::Remount;
    out.target = mount.destination;
    out.of = *of;
    plan_attributes(mount.options, out);
    if (earlier.source == MountSource::FileSystem && !is_bind(mount)) {
        out.fs_type = earlier.fs_type;
        TRY(file_system_options(mount, place, out));
    } else if (const auto word = spec::oci::superblock_change(mount.options)) {
        return at_options(
            base::usage_error("\"" + *word + "\" would change the file system behind a bind mount"),
            place);
    } else {
        warn_of_data(mount, place, plan);
    }
    plan.container.mounts.push_back(std::move(out));
    return base::ok();
}

base::Status plan_mount(const Planning& planning, std::size_t index, ContainerPlan& plan) {
    const Mount& mount = planning.config.mounts[index];
    const MountLookup& lookup = planning.lookups.mounts.at(index);
    const std::string place = "/mounts/" + std::to_string(index);
    ContainerMount out;
    out.target = mount.destination;
    out.no_follow = mount.options.dest_nofollow;
    plan_attributes(mount.options, out);
    if (is_bind(mount)) {
        warn_of_data(mount, place, plan);
        out.is_directory = lookup.is_directory;
        const bool recursive = mount.options.recursive_bind || mount.type == "rbind";
        TRY(bind_from(planning, mount, lookup.source, recursive, place, out, plan));
    } else {
        out.fs_type = mount.type == "cgroup" ? "cgroup2" : mount.type;
        if (const auto path = host_stand_in(planning, out.fs_type); !path.empty()) {
            TRY(bind_from(planning, mount, path, true, place, out, plan));
        } else {
            TRY(file_system(planning, mount, place, out));
        }
    }
    plan.container.mounts.push_back(std::move(out));
    return base::ok();
}

}  // namespace

base::Status plan_root(const Planning& planning, ContainerPlan& plan) {
    auto& root = plan.container.root;
    root.path = planning.lookups.rootfs;
    root.readonly = planning.config.root && planning.config.root->readonly;
    root.no_pivot = planning.site.no_pivot;
    if (planning.config.linux.rootfs_propagation) {
        root.propagation = translate(*planning.config.linux.rootfs_propagation);
    }
    if (!planning.site.clones_mounts) {
        root.source = MountSource::HostPath;
        return base::ok();
    }
    SlotSource source;
    source.kind = SlotSource::Kind::Root;
    source.path = planning.lookups.rootfs;
    source.place = "/root/path";
    source.recursive = true;
    root.source = MountSource::Slot;
    root.slot = add_slot(plan, std::move(source));
    return base::ok();
}

base::Status plan_mounts(const Planning& planning, ContainerPlan& plan) {
    plan.container.mounts_listed_in_order = planning.site.mounts_by_age;
    Planned planned;
    for (std::size_t i = 0; i < planning.config.mounts.size(); ++i) {
        const auto& mount = planning.config.mounts[i];
        const auto& link = planning.lookups.mounts.at(i).link_target;
        if (link) {
            plan.container.links.push_back({mount.destination, *link, false});
            planned.emplace_back();
            continue;
        }
        planned.emplace_back(plan.container.mounts.size());
        TRY(mount.options.remount ? plan_remount(planning, i, planned, plan)
                                  : plan_mount(planning, i, plan));
    }
    return base::ok();
}

void plan_notify(const Planning& planning, ContainerPlan& plan) {
    if (planning.site.notify_directory.empty()) {
        return;
    }
    ContainerMount out;
    out.target = kNotifyTarget;
    out.attributes.set =
        MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
    if (planning.site.clones_mounts) {
        SlotSource source;
        source.path = planning.site.notify_directory;
        out.source = MountSource::Slot;
        out.slot = add_slot(plan, std::move(source));
    } else {
        out.source = MountSource::HostPath;
        out.host_path = planning.site.notify_directory;
        out.recursive = false;
    }
    plan.container.mounts.push_back(std::move(out));
    plan.container.process.env.emplace_back(kNotifyVariable);
}

}  // namespace warren::engine::oci
