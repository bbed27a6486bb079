#include "isolation/plan.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include <linux/filter.h>
#include <sys/resource.h>

#include "isolation/plan_check.hpp"
#include "isolation/plan_parts.hpp"
#include "isolation/recipe_builder.hpp"

namespace warren::isolation {

using base::Result;
using base::Status;

namespace {

static_assert(kFirstBindSlot + kBindLimit == child::kReleasedSlots);

std::string mount_site(const MountSpec& mount, std::size_t index) {
    const bool bind = mount.kind == MountSpec::Kind::Bind;
    return place("mounts", index) + ": mount " + (bind ? "bind" : mount.fs_type) + " on " +
           mount.target;
}

std::uint32_t released_slots(const GuestSpec& spec) {
    std::uint32_t count = kFirstBindSlot;
    for (const auto& mount : spec.mounts) {
        if (mount.kind == MountSpec::Kind::Bind) {
            count = std::max(count, mount.slot + 1);
        }
    }
    return count;
}

// What the process starts from: the descriptors, then the ids of the guest's root, so that all that is made from
// here on belongs to the guest.
void become_guest_root(RecipeBuilder& recipe) {
    recipe.set_groups({});
    recipe.set_gid(0);
    recipe.set_uid(0);
}

// proc and sysfs can be mounted in a user namespace only while a full instance of each is in sight: all file systems
// are opened before the old root goes, and attached afterwards.
void open_file_systems(RecipeBuilder& recipe, const GuestSpec& spec) {
    std::uint32_t slot = kFirstOwnSlot;
    for (std::size_t i = 0; i < spec.mounts.size(); ++i) {
        const auto& mount = spec.mounts[i];
        if (mount.kind == MountSpec::Kind::FileSystem) {
            recipe.open_file_system(mount_site(mount, i),
                                    slot++,
                                    {mount.fs_type, mount.options, mount.attributes},
                                    mount.optional);
        }
    }
    if (!spec.masked_paths.empty()) {
        open_mask(recipe);
    }
}

void attach_mounts(RecipeBuilder& recipe, const GuestSpec& spec) {
    constexpr std::uint16_t kStrict = child::kDirectory | child::kNoSymlinks;
    recipe.make_target("dev: make /dev", "/dev", kStrict);
    recipe.attach_mount("dev: mount on /dev", kDevSlot, 0, 0);
    std::uint32_t next_own = kFirstOwnSlot;
    for (std::size_t i = 0; i < spec.mounts.size(); ++i) {
        const auto& mount = spec.mounts[i];
        const bool bind = mount.kind == MountSpec::Kind::Bind;
        const std::uint16_t optional = mount.optional ? child::kOptional : std::uint16_t{0};
        // A link at the place of proc or sysfs could make the masks below cover something else.
        const bool kernel_view = !bind && (mount.fs_type == "proc" || mount.fs_type == "sysfs");
        std::uint16_t target_flags = optional;
        target_flags |= !bind || mount.is_directory ? child::kDirectory : std::uint16_t{0};
        target_flags |= kernel_view ? child::kNoSymlinks : std::uint16_t{0};
        recipe.make_target(mount_site(mount, i), mount.target, target_flags);
        std::uint16_t flags = optional;
        flags |= mount.attributes_recursive ? child::kRecursive : std::uint16_t{0};
        recipe.attach_mount(mount_site(mount, i),
                            bind ? mount.slot : next_own++,
                            bind ? mount.attributes : 0,
                            flags);
    }
}

// From the finished walls to the program. A filter can be loaded without no_new_privs only with CAP_SYS_ADMIN, so
// before the capabilities go; else as late as possible.
void become_process(RecipeBuilder& recipe,
                    const ProcessSpec& process,
                    const SeccompProgram& filter) {
    const bool filtered = !filter.instructions.empty();
    recipe.close_others();
    set_rlimits(recipe, process);
    if (process.umask) {
        recipe.set_umask(*process.umask);
    }
    if (filtered && !process.no_new_privs) {
        recipe.load_seccomp(filter);
    }
    take_ids(recipe, process, true);
    recipe.change_dir(process.cwd);
    take_capabilities(recipe, process);
    if (process.no_new_privs) {
        recipe.no_new_privs();
    }
    recipe.reset_signals();
    if (filtered && process.no_new_privs) {
        recipe.load_seccomp(filter);
    }
    recipe.exec(exec_candidates(process), process.argv, process.env);
}

void private_kernel_views(RecipeBuilder& recipe, const GuestSpec& spec) {
    recipe.setsid();
    if (!spec.hostname.empty()) {
        recipe.set_hostname(spec.hostname);
    }
    for (std::size_t i = 0; i < spec.netlink_requests.size(); ++i) {
        recipe.netlink_request(place("network", i) + ": set up", spec.netlink_requests[i]);
    }
}

// All but user and pid namespace, which only clone3 makes for the child itself. Unsharing costs the child what cloning
// would cost the parent, while the parent goes on; and a cgroup namespace made by clone3 with CLONE_INTO_CGROUP would
// have the parent's cgroup as its root.
void leave_host_namespaces(RecipeBuilder& recipe, const GuestSpec& spec) {
    NamespaceSet set = spec.namespaces;
    set.remove(Namespace::User);
    set.remove(Namespace::Pid);
    set.remove(Namespace::Time);
    if (spec.namespaces.has(Namespace::Time)) {
        recipe.unshare_time(spec.time_offsets, !shares_memory(spec));
    }
    recipe.unshare(set.clone_flags(), set.names());
}

}  // namespace

bool shares_memory(const GuestSpec& spec) {
    return spec.share_memory && !spec.process.oom_score_adj;
}

Result<Recipe> plan_guest(const GuestSpec& spec, const SeccompProgram& filter) {
    TRY(check_guest(spec));
    TRY(check_process(spec.process, filter));
    RecipeBuilder recipe;
    recipe.set_non_dumpable();
    recipe.new_keyring();
    recipe.set_umask(kDefaultUmask);
    // What needs neither the guest's root nor its /dev is done while the parent makes them.
    leave_host_namespaces(recipe, spec);
    recipe.private_propagation();
    private_kernel_views(recipe, spec);
    if (spec.namespaces.has(Namespace::User)) {
        recipe.wait_ids();
        become_guest_root(recipe);
    }
    open_file_systems(recipe, spec);
    recipe.wait_release(released_slots(spec));
    // Over "/", which exists everywhere: who stands in the old root does not see what covers it.
    recipe.attach_root(kRootSlot, "/");
    recipe.pivot_root(kRootSlot);
    attach_mounts(recipe, spec);
    if (!path_components(spec.process.cwd).empty()) {
        recipe.make_target("cwd: make " + spec.process.cwd,
                           spec.process.cwd,
                           child::kDirectory | child::kOptional);
    }
    close_paths(recipe, spec.readonly_paths, spec.masked_paths);
    if (spec.process.stdio == Stdio::Terminal) {
        recipe.open_terminal(spec.process.window, spec.process.uid);
        if (spec.process.console_device) {
            recipe.bind_console();
        }
    }
    recipe.take_stdio(spec.process.stdio);
    if (spec.readonly_root) {
        recipe.readonly_root();
    }
    become_process(recipe, spec.process, filter);
    return std::move(recipe).finish();
}

Result<Recipe> plan_join(const JoinSpec& spec, const SeccompProgram& filter) {
    TRY(check_process(spec.process, filter));
    if (spec.process.console_device) {
        return base::usage_error("process: /dev/console belongs to the guest's first process");
    }
    RecipeBuilder recipe;
    recipe.set_non_dumpable();
    recipe.wait_release(0);
    recipe.new_keyring();
    recipe.set_umask(kDefaultUmask);
    if (spec.namespaces.has(Namespace::User)) {
        become_guest_root(recipe);
    }
    recipe.setsid();
    if (spec.process.stdio == Stdio::Terminal) {
        recipe.open_terminal(spec.process.window, spec.process.uid);
    }
    recipe.take_stdio(spec.process.stdio);
    become_process(recipe, spec.process, filter);
    return std::move(recipe).finish();
}

}  // namespace warren::isolation
