#include "isolation/plan.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include <linux/filter.h>
#include <sys/resource.h>

#include "isolation/plan_check.hpp"
#include "isolation/recipe_builder.hpp"

namespace warren::isolation {

using base::Result;
using base::Status;

namespace {

constexpr mode_t kDefaultUmask = 0022;
constexpr std::uint32_t kFirstOwnSlot = child::kReleasedSlots;
static_assert(kFirstBindSlot + kBindLimit == child::kReleasedSlots);

std::string place(const char* list, std::size_t index) {
    return std::string(list) + '[' + std::to_string(index) + ']';
}

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
        recipe.open_file_system("masked paths: make the mask",
                                child::kMaskSlot,
                                {"tmpfs", {{"nr_inodes", "1"}, {"size", "4096"}}, kMaskAttributes},
                                false);
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

void close_paths(RecipeBuilder& recipe, const GuestSpec& spec) {
    for (std::size_t i = 0; i < spec.readonly_paths.size(); ++i) {
        const auto& path = spec.readonly_paths[i];
        recipe.readonly_path(place("readonly paths", i) + ": make " + path + " read-only", path);
    }
    for (std::size_t i = 0; i < spec.masked_paths.size(); ++i) {
        const auto& path = spec.masked_paths[i];
        recipe.mask_path(place("masked paths", i) + ": mask " + path, path);
    }
}

// The absolute paths that may be the program, as execvp(3) would try them.
std::vector<std::string> exec_candidates(const ProcessSpec& process) {
    constexpr std::string_view kDefaultPath =
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    const std::string& name = process.argv.front();
    if (name.find('/') != std::string::npos) {
        return {name};
    }
    std::string_view path = kDefaultPath;
    for (const auto& variable : process.env) {
        if (variable.starts_with("PATH=")) {
            path = std::string_view(variable).substr(5);
            break;
        }
    }
    std::vector<std::string> candidates;
    while (!path.empty()) {
        const auto end = path.find(':');
        const auto dir = path.substr(0, end);
        // An empty or relative entry would look where the guest's cwd happens to be.
        if (dir.starts_with('/')) {
            candidates.push_back(std::string(dir) + (dir.ends_with('/') ? "" : "/") + name);
        }
        path = end == std::string_view::npos ? std::string_view{} : path.substr(end + 1);
    }
    return candidates;
}

void take_ids(RecipeBuilder& recipe, const ProcessSpec& process) {
    const auto& caps = process.capabilities;
    recipe.drop_bounding(caps.bounding);
    recipe.set_groups(process.additional_gids);
    recipe.set_gid(process.gid);
    const bool wants = (caps.permitted | caps.effective | caps.inheritable | caps.ambient) != 0;
    if (process.uid != 0 && wants) {
        recipe.keep_caps();
    }
    recipe.set_uid(process.uid);
}

// From the finished walls to the program. A filter can be loaded without no_new_privs only with CAP_SYS_ADMIN, so
// before the capabilities go; else as late as possible.
void become_process(RecipeBuilder& recipe,
                    const ProcessSpec& process,
                    const SeccompProgram& filter) {
    const bool filtered = !filter.instructions.empty();
    recipe.close_others();
    for (std::size_t i = 0; i < process.rlimits.size(); ++i) {
        recipe.set_rlimit(place("rlimits", i) + ": set", process.rlimits[i]);
    }
    if (process.umask) {
        recipe.set_umask(*process.umask);
    }
    if (filtered && !process.no_new_privs) {
        recipe.load_seccomp(filter);
    }
    take_ids(recipe, process);
    recipe.change_dir(process.cwd);
    recipe.set_capabilities(process.capabilities);
    if (process.capabilities.ambient != 0) {
        recipe.raise_ambient(process.capabilities.ambient);
    }
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
    if (spec.namespaces.has(Namespace::Cgroup)) {
        // Not by clone3: with CLONE_INTO_CGROUP the parent's cgroup would be the namespace's root.
        recipe.unshare_cgroup();
    }
    if (!spec.hostname.empty()) {
        recipe.set_hostname(spec.hostname);
    }
    for (std::size_t i = 0; i < spec.netlink_requests.size(); ++i) {
        recipe.netlink_request(place("network", i) + ": set up", spec.netlink_requests[i]);
    }
}

}  // namespace

Result<Recipe> plan_guest(const GuestSpec& spec, const SeccompProgram& filter) {
    TRY(check_guest(spec));
    TRY(check_process(spec.process, filter));
    RecipeBuilder recipe;
    recipe.set_non_dumpable();
    recipe.wait_release(released_slots(spec));
    recipe.new_keyring();
    recipe.set_umask(kDefaultUmask);
    recipe.private_propagation();
    // Still with the host's root user id: the staging directory need not be open to the guest's.
    recipe.attach_root(kRootSlot, spec.staging_dir);
    if (spec.namespaces.has(Namespace::User)) {
        become_guest_root(recipe);
    }
    private_kernel_views(recipe, spec);
    open_file_systems(recipe, spec);
    recipe.pivot_root(kRootSlot);
    attach_mounts(recipe, spec);
    if (!path_components(spec.process.cwd).empty()) {
        recipe.make_target("cwd: make " + spec.process.cwd,
                           spec.process.cwd,
                           child::kDirectory | child::kOptional);
    }
    close_paths(recipe, spec);
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
