#include "isolation/mounts.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "isolation/locked_mount.hpp"

namespace warren::isolation {

namespace {

// By number: the C library's wrappers and its <sys/mount.h> clash with the kernel's header before
// glibc 2.37.
int fs_open(const char* type) {
    return static_cast<int>(::syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
}

int fs_config(int context, fsconfig_command command, const char* key, const char* value) {
    return static_cast<int>(::syscall(SYS_fsconfig, context, command, key, value, 0));
}

int fs_mount(int context, std::uint64_t attributes) {
    return static_cast<int>(::syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes));
}

int clone_tree(const char* path, bool recursive) {
    const unsigned flags =
        OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? unsigned{AT_RECURSIVE} : 0U);
    return static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, path, flags));
}

int set_attributes(int mount, bool recursive, mount_attr attributes) {
    const unsigned flags = AT_EMPTY_PATH | (recursive ? unsigned{AT_RECURSIVE} : 0U);
    return static_cast<int>(
        ::syscall(SYS_mount_setattr, mount, "", flags, &attributes, sizeof attributes));
}

struct Owner {
    uid_t uid;
    gid_t gid;
};

base::Result<base::Fd> mount_dev_tmpfs(Owner owner) {
    const base::Fd context(fs_open("tmpfs"));
    if (!context) {
        return base::errno_error("open a tmpfs for /dev");
    }
    // Links and nodes take no pages. What the guest's root adds must stay small: the memory is the
    // host's when the guest has no memory limit.
    const std::array<std::pair<const char*, std::string>, 5> options = {{
        {"size", "512k"},
        {"nr_inodes", "1024"},
        {"mode", "0755"},
        {"uid", std::to_string(owner.uid)},
        {"gid", std::to_string(owner.gid)},
    }};
    for (const auto& [key, value] : options) {
        if (fs_config(context.get(), FSCONFIG_SET_STRING, key, value.c_str()) != 0) {
            return base::errno_error(std::string("set ") + key + " of the tmpfs for /dev");
        }
    }
    if (fs_config(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr) != 0) {
        return base::errno_error("create the tmpfs for /dev");
    }
    base::Fd mount(fs_mount(context.get(), MOUNT_ATTR_NOSUID));
    if (!mount) {
        return base::errno_error("mount the tmpfs for /dev");
    }
    return mount;
}

// Until the mount is handed over nobody else can reach it, so names mean what we made of them.
// Owner and mode are set after the making, out of the umask's reach.
base::Status own(int at, const char* name, Owner owner, const std::string& path) {
    if (::fchownat(at, name, owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW) != 0) {
        return base::errno_error("change the owner of " + path);
    }
    return base::ok();
}

base::Status set_mode(int at, const char* name, mode_t mode, const std::string& path) {
    if (::fchmodat(at, name, mode, 0) != 0) {
        return base::errno_error("change the mode of " + path);
    }
    return base::ok();
}

base::Status make_directory(int at, const std::string& name, Owner owner, const std::string& path) {
    if (::mkdirat(at, name.c_str(), 0755) != 0) {
        if (errno == EEXIST) {
            return base::ok();
        }
        return base::errno_error("make directory " + path);
    }
    TRY(set_mode(at, name.c_str(), 0755, path));
    return own(at, name.c_str(), owner, path);
}

struct DevPath {
    std::vector<std::string> directories;
    std::string name;
};

base::Result<DevPath> split_dev_path(const std::string& path) {
    constexpr std::string_view kPrefix = "/dev/";
    constexpr std::size_t kDepth = 8;
    constexpr std::array<std::string_view, 9> kTaken = {
        "pts", "shm", "mqueue", "console", "ptmx", "fd", "stdin", "stdout", "stderr"};
    const bool below = path.starts_with(kPrefix) && path.find('\0') == std::string::npos;
    if (!below) {
        return base::usage_error("make device " + path + ": not below /dev");
    }
    DevPath out;
    std::string_view rest = std::string_view(path).substr(kPrefix.size());
    for (bool last = false; !last;) {
        const auto slash = rest.find('/');
        last = slash == std::string_view::npos;
        const auto part = rest.substr(0, slash);
        rest.remove_prefix(last ? rest.size() : slash + 1);
        if (part.empty() || part == "." || part == ".." || part.size() > NAME_MAX ||
            out.directories.size() == kDepth) {
            return base::usage_error("make device " + path + ": not a plain path below /dev");
        }
        out.directories.emplace_back(part);
    }
    if (std::find(kTaken.begin(), kTaken.end(), out.directories.front()) != kTaken.end()) {
        return base::usage_error("make device " + path + ": /dev/" + out.directories.front() +
                                 " has a use of its own");
    }
    out.name = std::move(out.directories.back());
    out.directories.pop_back();
    return out;
}

base::Status make_node(int dev, const DeviceRule& rule, Owner owner) {
    const auto path = TRY(split_dev_path(rule.path));
    base::Fd below;
    int directory = dev;
    for (const std::string& name : path.directories) {
        TRY(make_directory(directory, name, owner, rule.path));
        below = TRY(base::open_dir(directory, name));
        directory = below.get();
    }
    const mode_t type = rule.type == DeviceRule::Type::Char ? S_IFCHR : S_IFBLK;
    const dev_t device = ::makedev(rule.major, rule.minor);
    if (::mknodat(directory, path.name.c_str(), type | 0600, device) != 0) {
        if (errno != EEXIST) {
            return base::errno_error("make device " + rule.path);
        }

        struct stat status {};

        const bool same =
            ::fstatat(directory, path.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            (status.st_mode & S_IFMT) == type && status.st_rdev == device;
        if (!same) {
            return base::usage_error("make device " + rule.path + ": two devices under one name");
        }
    }
    TRY(set_mode(directory, path.name.c_str(), rule.mode & 0777U, rule.path));
    return own(directory, path.name.c_str(), owner, rule.path);
}

base::Status make_fixed_entries(int dev, Owner owner) {
    constexpr std::array<std::pair<const char*, const char*>, 5> kLinks = {{
        {"fd", "/proc/self/fd"},
        {"stdin", "/proc/self/fd/0"},
        {"stdout", "/proc/self/fd/1"},
        {"stderr", "/proc/self/fd/2"},
        {"ptmx", "pts/ptmx"},
    }};
    for (const auto& [name, target] : kLinks) {
        const std::string path = std::string("/dev/") + name;
        if (::symlinkat(target, dev, name) != 0) {
            return base::errno_error("make link " + path);
        }
        TRY(own(dev, name, owner, path));
    }
    for (const char* name : {"pts", "shm", "mqueue"}) {
        TRY(make_directory(dev, name, owner, std::string("/dev/") + name));
    }
    const auto console = TRY(base::open_at(dev, "console", O_WRONLY | O_CREAT | O_EXCL, 0600));
    TRY(set_mode(dev, "console", 0600, "/dev/console"));
    return own(dev, "console", owner, "/dev/console");
}

std::string file_system_name(int fd) {
    constexpr std::array<std::pair<std::uint32_t, const char*>, 24> kTypes = {{
        {0xef53, "ext4"},         {0x58465342, "xfs"},     {0x9123683e, "btrfs"},
        {0x01021994, "tmpfs"},    {0x794c7630, "overlay"}, {0x6969, "nfs"},
        {0xff534d42, "cifs"},     {0xfe534d42, "smb2"},    {0x65735546, "fuse"},
        {0x2fc12fc1, "zfs"},      {0x01021997, "9p"},      {0x00c36400, "ceph"},
        {0x9fa0, "proc"},         {0x62656572, "sysfs"},   {0x73717368, "squashfs"},
        {0x9660, "iso9660"},      {0x4d44, "vfat"},        {0x2011bab0, "exfat"},
        {0xf2f52010, "f2fs"},     {0xe0f5e1e2, "erofs"},   {0x5346544e, "ntfs"},
        {0xca451a4e, "bcachefs"}, {0x63677270, "cgroup2"}, {0x7461636f, "ocfs2"},
    }};

    struct statfs status {};

    if (::fstatfs(fd, &status) != 0) {
        return "unknown";
    }
    const auto magic = static_cast<std::uint32_t>(status.f_type);
    const auto* entry = std::find_if(
        kTypes.begin(), kTypes.end(), [&](const auto& item) { return item.first == magic; });
    if (entry != kTypes.end()) {
        return entry->second;
    }
    std::array<char, 16> text{};
    (void)std::snprintf(text.data(), text.size(), "0x%x", magic);
    return text.data();
}

mount_attr idmap_attribute(int userns_fd) {
    return {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = static_cast<__u64>(userns_fd)};
}

// `error`: what the kernel answered to the idmap.
base::Error idmap_error(
    const std::string& path, int mount, bool recursive, int userns_fd, int error) {
    const std::string what = "map the ids of " + path;
    if (error != EINVAL && error != EPERM) {
        return base::errno_error(error, what);
    }
    const std::string remedy =
        "; use a directory on ext4, xfs, btrfs or (from Linux 6.3) tmpfs, or a guest with --userns "
        "host";
    if (recursive) {
        const base::Fd top(clone_tree(path.c_str(), false));
        if (top && set_attributes(top.get(), false, idmap_attribute(userns_fd)) == 0) {
            return {base::ErrorKind::Unsupported,
                    error,
                    what + ": a file system mounted below it cannot have its ids mapped" + remedy};
        }
    }
    return {base::ErrorKind::Unsupported,
            error,
            what + ": its file system (" + file_system_name(mount) +
                ") cannot have its ids mapped" + remedy};
}

}  // namespace

base::Result<base::Fd> make_dev(const std::vector<DeviceRule>& devices,
                                std::uint32_t owner_uid,
                                std::uint32_t owner_gid) {
    const Owner owner{owner_uid, owner_gid};
    base::Fd dev = TRY(mount_dev_tmpfs(owner));
    TRY(make_fixed_entries(dev.get(), owner));
    for (const DeviceRule& rule : devices) {
        if (!rule.path.empty()) {
            TRY(make_node(dev.get(), rule, owner));
        }
    }
    return dev;
}

base::Result<base::Fd> open_bind_source(const std::string& path,
                                        bool read_only,
                                        bool recursive,
                                        int userns_fd) {
    if (path.empty() || path.find('\0') != std::string::npos) {
        return base::usage_error("open mount source \"" + path + "\": not a path");
    }
    base::Fd mount(clone_tree(path.c_str(), recursive));
    if (!mount) {
        const bool missing = errno == ENOENT || errno == ENOTDIR;
        return base::Error(missing ? base::ErrorKind::Usage : base::ErrorKind::Failed,
                           errno,
                           "open mount source " + path);
    }
    if (userns_fd >= 0 && set_attributes(mount.get(), recursive, idmap_attribute(userns_fd)) != 0) {
        return idmap_error(path, mount.get(), recursive, userns_fd, errno);
    }
    if (read_only && set_attributes(mount.get(), recursive, {.attr_set = MOUNT_ATTR_RDONLY}) != 0) {
        return base::errno_error("make mount source " + path + " read-only");
    }
    if (read_only && userns_fd >= 0) {
        // The guest's root rules its own mounts, but not what is locked.
        return base::with_context(lock_mount(std::move(mount)),
                                  "make mount source " + path + " read-only");
    }
    return mount;
}

}  // namespace warren::isolation
