#include "isolation/container_mount_plan.hpp"

#include <algorithm>

#include <linux/mount.h>

#include "isolation/container_check.hpp"
#include "isolation/plan_parts.hpp"

namespace warren::isolation {

std::uint64_t propagation_flag(Propagation::Kind kind) {
    // MS_*: <sys/mount.h> does not go together with <linux/mount.h>.
    switch (kind) {
        case Propagation::Kind::Private:
            return 1U << 18;
        case Propagation::Kind::Slave:
            return 1U << 19;
        case Propagation::Kind::Shared:
            return 1U << 20;
        case Propagation::Kind::Unbindable:
            return 1U << 17;
    }
    return 0;
}

std::uint16_t recursion(bool recursive) {
    return recursive ? child::kRecursive : std::uint16_t{0};
}

std::uint16_t optionality(bool optional) {
    return optional ? child::kOptional : std::uint16_t{0};
}

std::string mount_site(const ContainerMount& mount, std::size_t index) {
    if (mount.source == MountSource::Remount) {
        return place("mounts", index) + ": remount " + mount.target;
    }
    const bool fresh = mount.source == MountSource::FileSystem;
    return place("mounts", index) + ": mount " + (fresh ? mount.fs_type : "bind") + " on " +
           mount.target;
}

namespace {

bool starts_with_content(const ContainerMount& mount) {
    const bool mode = std::any_of(mount.options.begin(), mount.options.end(), [](const auto& pair) {
        return pair.first == "mode";
    });
    return mount.fs_type == "tmpfs" && (mount.copy_up || !mode);
}

}  // namespace

void open_file_system(RecipeBuilder& recipe,
                      const ContainerMount& mount,
                      const std::string& site,
                      std::uint32_t slot) {
    // What is written to first becomes read-only later.
    const bool later = starts_with_content(mount);
    const RecipeBuilder::FileSystem fs{
        mount.fs_type, mount.options, later ? 0 : mount.attributes.set};
    const bool long_value =
        std::any_of(fs.options.begin(), fs.options.end(), [](const auto& option) {
            return option.second.size() > kOptionValueLimit;
        });
    if (long_value) {
        recipe.mount_file_system(site, slot, fs, optionality(mount.optional));
    } else {
        recipe.open_file_system(site, slot, fs, mount.optional);
    }
}

namespace {

void change_mount(RecipeBuilder& recipe,
                  const MountChange& wanted,
                  const std::string& site,
                  std::uint32_t slot,
                  std::uint16_t flags) {
    if ((wanted.set | wanted.clear) == 0) {
        return;
    }
    // The access time bits are an enumeration: the old value has to go first.
    const std::uint64_t times = MOUNT_ATTR__ATIME;
    const bool timed = ((wanted.set | wanted.clear) & times) != 0;
    recipe.change_mount(
        site + ": set its attributes", slot, wanted.set, wanted.clear | (timed ? times : 0), flags);
}

void propagate(RecipeBuilder& recipe,
               const std::vector<Propagation>& propagation,
               const std::string& site,
               std::uint32_t slot,
               std::uint16_t flags) {
    for (const auto& step : propagation) {
        recipe.set_propagation(site + ": set its propagation",
                               static_cast<std::int32_t>(slot),
                               propagation_flag(step.kind),
                               recursion(step.recursive) | flags);
    }
}

void remount(RecipeBuilder& recipe,
             const ContainerMount& mount,
             const std::string& site,
             std::uint32_t slot) {
    if (!mount.options.empty()) {
        recipe.reconfigure(site + ": set the options of its file system", slot, mount.options);
    }
    change_mount(recipe, mount.below, site, slot, child::kRecursive);
    change_mount(recipe, mount.attributes, site, slot, 0);
    propagate(recipe, mount.propagation, site, slot, 0);
}

// What is made, and opened, at the target.
std::uint16_t target_flags(const ContainerMount& mount) {
    const bool fresh = mount.source == MountSource::FileSystem;
    const auto components = path_components(mount.target);
    // A link at the place of proc or sysfs could make the masks below cover something else.
    const bool kernel_view =
        (fresh && (mount.fs_type == "proc" || mount.fs_type == "sysfs")) ||
        (components.size() == 1 && (components.front() == "proc" || components.front() == "sys"));
    std::uint16_t flags = optionality(mount.optional);
    flags |= fresh || mount.is_directory ? child::kDirectory : std::uint16_t{0};
    flags |= kernel_view ? child::kNoSymlinks : std::uint16_t{0};
    flags |= mount.no_follow ? child::kNoFollow : std::uint16_t{0};
    return flags;
}

}  // namespace

void attach_mount(RecipeBuilder& recipe,
                  const ContainerMount& mount,
                  const std::string& site,
                  std::uint32_t slot,
                  bool changes_later) {
    if (mount.source == MountSource::Remount) {
        remount(recipe, mount, site, slot);
        return;
    }
    const bool fresh = mount.source == MountSource::FileSystem;
    const std::uint16_t optional = optionality(mount.optional);
    recipe.make_target(site, mount.target, target_flags(mount));
    const bool content = fresh && starts_with_content(mount);
    if (content) {
        recipe.inherit_mode(site, slot, optional);
    }
    if (fresh && mount.copy_up) {
        recipe.copy_up(site + ": copy what is there", slot, optional);
    }
    change_mount(recipe, mount.below, site, slot, child::kRecursive | optional);
    if (!fresh || content || mount.attributes.clear != 0) {
        change_mount(recipe, mount.attributes, site, slot, optional);
    }
    auto propagation = mount.propagation;
    if (propagation.empty() && mount.source == MountSource::Slot) {
        propagation.push_back({Propagation::Kind::Private, true});
    }
    propagate(recipe, propagation, site, slot, optional);
    recipe.place_mount(site, slot, optional | (changes_later ? child::kKeep : std::uint16_t{0}));
}

}  // namespace warren::isolation
