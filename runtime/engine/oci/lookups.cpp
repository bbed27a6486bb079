#include "runtime/engine/oci/lookups.hpp"

#include <algorithm>
#include <cstdlib>

#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/units.hpp"
#include "isolation/capabilities.hpp"
#include "runtime/engine/guest_users.hpp"
#include "runtime/engine/oci/host.hpp"
#include "runtime/engine/oci/paths.hpp"

namespace warren::engine::oci {

namespace {

constexpr std::size_t kPasswdBytesMax = 1U << 20;
constexpr std::uint64_t kPreservedMax = 1024;

// The last step may not be a link; those before it are the host's.
base::Result<std::string> look_up_root(const spec::oci::Config& config, const std::string& bundle) {
    const std::string place = "/root/path";
    if (!config.root) {
        return base::usage_error("root is required").with_place("/root");
    }
    const auto path = clean_path(join_path(bundle, config.root->path));
    const auto directory = base::open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (!directory) {
        if (directory.error().error_number() == ENOTDIR) {
            return base::usage_error(path + " is not a directory").with_place(place);
        }
        auto error = directory.error();
        return std::move(error).with_place(place);
    }
    return base::read_link_at(AT_FDCWD, base::proc_fd_path(directory.value().get()));
}

base::Result<MountLookup> look_up_mount(const spec::oci::Mount& mount,
                                        const std::string& bundle,
                                        const std::string& place) {
    MountLookup lookup;
    if (!is_bind(mount) || mount.options.remount) {
        return lookup;
    }
    lookup.source = join_path(bundle, mount.source);

    struct stat status {};

    const bool no_follow = mount.options.copy_symlink || mount.options.src_nofollow;
    const int flags = no_follow ? AT_SYMLINK_NOFOLLOW : 0;
    if (::fstatat(AT_FDCWD, lookup.source.c_str(), &status, flags) != 0) {
        return base::errno_error("mount source " + lookup.source).with_place(place + "/source");
    }
    if (mount.options.copy_symlink && S_ISLNK(status.st_mode)) {
        lookup.link_target = TRY(base::read_link_at(AT_FDCWD, lookup.source));
    } else if (S_ISLNK(status.st_mode) && !mount.options.src_nofollow) {
        return base::fail("mount source " + lookup.source + " changed").with_place(place);
    }
    lookup.is_directory = S_ISDIR(status.st_mode);
    return lookup;
}

int clone_flag(isolation::Namespace kind) {
    auto set = isolation::NamespaceSet::none();
    set.add(kind);
    return static_cast<int>(set.clone_flags());
}

bool is_our_own(int fd, isolation::Namespace kind) {
    if (kind != isolation::Namespace::User) {
        return false;
    }

    struct stat theirs {};

    struct stat ours {};

    return ::fstat(fd, &theirs) == 0 && ::stat("/proc/self/ns/user", &ours) == 0 &&
           theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev;
}

base::Status look_up_namespaces(const spec::oci::Config& config, LookedUp& out) {
    for (std::size_t i = 0; i < config.linux.namespaces.size(); ++i) {
        const auto& entry = config.linux.namespaces[i];
        if (entry.path.empty()) {
            continue;
        }
        const std::string place = "/linux/namespaces/" + std::to_string(i) + "/path";
        auto file = base::open_at(AT_FDCWD, entry.path, O_RDONLY | O_NONBLOCK);
        if (!file) {
            return std::move(file).error().with_place(place);
        }
        if (::ioctl(file.value().get(), NS_GET_NSTYPE) != clone_flag(entry.kind)) {
            return base::usage_error(entry.path + " is not a namespace of this type")
                .with_place(place);
        }
        if (is_our_own(file.value().get(), entry.kind)) {
            continue;  // setns(2) refuses the user namespace that we are in
        }
        out.lookups.joined.push_back({entry.kind, file.value().get()});
        out.namespaces.push_back(std::move(file).value());
    }
    return base::ok();
}

// Whether we may is judged before the path is looked up, and a copy that nobody needs is dear to drop (the kernel waits
// for all of its readers).
bool clones_mounts() {
    const base::Fd none(static_cast<int>(
        ::syscall(SYS_open_tree, AT_FDCWD, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
    return errno == ENOENT;
}

}  // namespace

std::string home_of(int root, std::uint32_t uid) {
    const auto file = base::open_at(
        root, "etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, base::Resolve::InRoot);

    struct stat status {};

    if (!file || ::fstat(file.value().get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return "/";
    }
    const auto text = base::read_all(file.value().get(), kPasswdBytesMax, "passwd");
    if (!text) {
        return "/";
    }
    const auto user = resolve_user(std::to_string(uid), text.value(), "");
    return user ? user.value().home : "/";
}

base::Result<LookedUp> look_up(const spec::oci::Config& config, const std::string& bundle) {
    LookedUp out;
    out.lookups.rootfs = TRY(look_up_root(config, bundle));
    for (std::size_t i = 0; i < config.mounts.size(); ++i) {
        out.lookups.mounts.push_back(
            TRY(look_up_mount(config.mounts[i], bundle, "/mounts/" + std::to_string(i))));
    }
    TRY(look_up_namespaces(config, out));
    if (config.process) {
        const auto root = TRY(base::open_at(AT_FDCWD, out.lookups.rootfs, O_PATH | O_DIRECTORY));
        out.lookups.home = home_of(root.get(), config.process->user.uid);
    }
    return out;
}

Site find_process_site() {
    Site site;
    site.apparmor = has_apparmor();
    site.selinux = has_selinux();
    site.capabilities = isolation::all_capabilities() & bounding_capabilities();
    return site;
}

base::Result<Site> find_site(const Context& context, const std::string& id) {
    auto site = find_process_site();
    site.id = id;
    site.cgroup_mount = context.host.mount_point;
    site.systemd_cgroup = context.settings.systemd_cgroup;
    site.cgroup_disabled = context.settings.cgroup_disabled;
    site.rootless = context.rootless;
    site.clones_mounts = clones_mounts();
    site.makes_nodes = ::geteuid() == 0 && !in_user_namespace();
    site.mounts_by_age = lists_mounts_by_age();
    return site;
}

std::uint32_t listen_fds() {
    const char* count = std::getenv("LISTEN_FDS");
    if (count == nullptr) {
        return 0;
    }
    const char* process = std::getenv("LISTEN_PID");
    if (process != nullptr && process != std::to_string(::getpid())) {
        return 0;  // meant for another, who left the variables standing
    }
    const auto number = base::parse_uint(count, 0, kPreservedMax);
    return number ? static_cast<std::uint32_t>(number.value()) : 0;
}

base::Status check_preserved(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
        const int fd = 3 + static_cast<int>(i);
        const int flags = ::fcntl(fd, F_GETFD);
        if (flags < 0 || (flags & FD_CLOEXEC) != 0) {
            return base::usage_error("preserve-fds: descriptor " + std::to_string(fd) +
                                     " was not handed to us");
        }
    }
    return base::ok();
}

}  // namespace warren::engine::oci
