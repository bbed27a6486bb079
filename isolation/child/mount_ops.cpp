// The root and what is mounted in it. The root's content is hostile: every path in it is opened first, and the
// mount goes onto what was opened. Until PivotRoot "/" is the host's tree, afterwards the guest's.
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include "isolation/child/container_step.hpp"
#include "isolation/child/mount_calls.hpp"
#include "isolation/child/ops.hpp"
#include "isolation/child/syscalls.hpp"

namespace warren::isolation::child {

namespace {

int set_attributes(int fd, std::uint64_t attributes, bool recursive) {
    mount_attr attr{};
    attr.attr_set = attributes;
    // The access time bits are an enumeration: the old value has to go first.
    attr.attr_clr = (attributes & MOUNT_ATTR__ATIME) != 0 ? MOUNT_ATTR__ATIME : 0;
    const unsigned flags = AT_EMPTY_PATH | (recursive ? unsigned{AT_RECURSIVE} : 0U);
    return status(SYS_mount_setattr, fd, "", flags, &attr, sizeof(attr));
}

// Makes and opens `name` in `dir`; when it exists by now somebody else made it.
int make_entry(int dir, const char* name, bool directory) {
    if (directory) {
        const int made = status(SYS_mkdirat, dir, name, 0755);
        if (made != 0 && made != -EEXIST) {
            return made;
        }
        return open_at2(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
    }
    return descriptor(
        SYS_openat, dir, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
}

constexpr std::size_t kPathSize = 4096;
constexpr int kLinkLimit = 40;
constexpr std::uint32_t kTypeLink = 0120000;

int open_root() {
    return open_at2(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
}

// `path` becomes what the link behind `fd` says, followed by what was left of the path.
int follow_link(int fd, char* path, const char* left) {
    char target[kPathSize];
    const long size = sys(SYS_readlinkat, fd, "", target, sizeof(target));
    if (size < 0) {
        return static_cast<int>(size);
    }
    const auto length = static_cast<std::size_t>(size);
    const std::size_t left_size = __builtin_strlen(left) + 1;
    if (length + 1 + left_size > kPathSize) {
        return -ENAMETOOLONG;
    }
    __builtin_memmove(path + length + 1, left, left_size);
    __builtin_memcpy(path, target, length);
    path[length] = '/';
    return 0;
}

bool is_link(int fd) {
    struct statx info {};

    return stat_fd(fd, info) == 0 && (info.stx_mode & kTypeMask) == kTypeLink;
}

// The next component of the path at `at`, which moves on behind it; nullptr at the end. `last`: none follows.
const char* take_component(char*& at, bool& last) {
    for (; *at == '/'; ++at) {
    }
    if (*at == '\0') {
        return nullptr;
    }
    const char* name = at;
    for (; *at != '\0' && *at != '/'; ++at) {
    }
    if (*at == '/') {
        *at++ = '\0';
    }
    const char* rest = at;
    for (; *rest == '/'; ++rest) {
    }
    last = *rest == '\0';
    return name;
}

// flags as MakeTarget's. Component by component, each opened without following before the next is looked up in it; links, those to nowhere
// included, are followed by hand. The root is "/" of this process: neither they nor ".." lead out of it.
int make_path(const char* wanted, const Step& step) {
    char path[kPathSize];
    const std::size_t size = __builtin_strlen(wanted) + 1;
    if (size > sizeof(path)) {
        return -ENAMETOOLONG;
    }
    __builtin_memcpy(path, wanted, size);
    int followed = 0;
    int here = open_root();
    char* at = path;
    while (here >= 0) {
        bool last = false;
        const char* name = take_component(at, last);
        if (name == nullptr) {
            break;
        }
        int next = open_at2(here, name, O_PATH | O_NOFOLLOW, 0);
        if (next == -ENOENT) {
            next = make_entry(here, name, (step.flags & kDirectory) != 0 || !last);
        } else if (next >= 0 && is_link(next) && !(last && (step.flags & kNoFollow) != 0)) {
            const bool allowed = (step.flags & kNoSymlinks) == 0 && ++followed <= kLinkLimit;
            const int result = allowed ? follow_link(next, path, at) : -ELOOP;
            (void)sys(SYS_close, next);
            at = path;
            next = result != 0 ? result : (path[0] == '/' ? open_root() : here);
        }
        if (next != here) {
            (void)sys(SYS_close, here);
        }
        here = next;
    }
    return here;
}

}  // namespace

// The root is "/" of this process: neither ".." nor a link leads out of it.
int open_in_root(const char* path, std::uint64_t flags, std::uint64_t resolve) {
    return open_at2(AT_FDCWD, path, flags, resolve);
}

// A copy of one of the host's mounts is its peer: what the guest mounts below would appear on the host.
int make_private(int dir, const char* path) {
    mount_attr attr{};
    attr.propagation = kPrivate;
    return status(SYS_mount_setattr, dir, path, AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr));
}

// PrivatePropagation: nothing mounted from here on reaches the host, nor comes from it.
int private_propagation() {
    return make_private(AT_FDCWD, "/");
}

// AttachRoot: slot the root's detached mount, s1 what it covers in this mount namespace.
int attach_root(Context& context, const Step& step) {
    const int root = context.slots[step.slot];
    const int result = make_private(root, "");
    if (result != 0) {
        return result;
    }
    return status(SYS_move_mount, root, "", AT_FDCWD, step.s1, MOVE_MOUNT_F_EMPTY_PATH);
}

int set_options(int fs, const Step& step) {
    int result = 0;
    const auto* options = static_cast<const char* const*>(step.data);
    for (; result == 0 && options != nullptr && *options != nullptr; options += 2) {
        const bool flag = options[1][0] == '\0';
        result = status(SYS_fsconfig,
                        fs,
                        flag ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING,
                        options[0],
                        flag ? nullptr : options[1],
                        0);
    }
    return result;
}

// OpenFileSystem: s1 the type, data its options (key, value, key, value, ..., null; an empty value is a flag),
// a MOUNT_ATTR_*, slot what receives the detached mount.
int open_file_system(Context& context, const Step& step) {
    const int fs = descriptor(SYS_fsopen, step.s1, FSOPEN_CLOEXEC);
    if (fs < 0) {
        return fs;
    }
    int result = set_options(fs, step);
    if (result == 0) {
        result = status(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
    }
    if (result == 0) {
        const int mount = descriptor(SYS_fsmount, fs, FSMOUNT_CLOEXEC, step.a);
        result = mount < 0 ? mount : 0;
        context.slots[step.slot] = mount < 0 ? -1 : mount;
    }
    (void)sys(SYS_close, fs);
    return result;
}

// PivotRoot: slot the attached root. The new root is mounted over the old one, which then lies below it and is let
// go: no directory for the old root is needed, and the guest's tree may be read-only.
int pivot_root(Context& context, const Step& step) {
    int result = status(SYS_fchdir, context.slots[step.slot]);
    if (result == 0) {
        result = status(SYS_pivot_root, ".", ".");
    }
    if (result == 0) {
        result = status(SYS_umount2, ".", kDetach);
    }
    if (result == 0) {
        result = status(SYS_chdir, "/");
    }
    clear_slot(context, step.slot);
    return result;
}

// MakeTarget: s1 the path, flags kDirectory, kNoSymlinks, kNoFollow; the open target lands in kTargetSlot.
int make_target(Context& context, const Step& step) {
    clear_slot(context, kTargetSlot);
    const std::uint64_t resolve = (step.flags & kNoSymlinks) != 0 ? RESOLVE_NO_SYMLINKS : 0;
    const std::uint64_t follow = (step.flags & kNoFollow) != 0 ? O_NOFOLLOW : 0;
    int fd = open_in_root(step.s1, O_PATH | follow, resolve);
    context.target_made = fd == -ENOENT;
    if (fd == -ENOENT) {
        fd = make_path(step.s1, step);
    }
    if (fd < 0) {
        return fd;
    }
    context.slots[kTargetSlot] = fd;
    return 0;
}

// AttachMount: slot a detached mount, a MOUNT_ATTR_* to set on it, flags kRecursive; goes onto kTargetSlot.
int attach_mount(Context& context, const Step& step) {
    const int mount = context.slots[step.slot];
    const int target = context.slots[kTargetSlot];
    if ((step.flags & kOptional) != 0 && (mount < 0 || target < 0)) {
        return 0;  // the step that should have filled the slot has said why it did not
    }
    const bool released = step.slot < static_cast<std::int32_t>(kReleasedSlots);
    int result = released ? make_private(mount, "") : 0;
    if (result == 0 && step.a != 0) {
        result = set_attributes(mount, step.a, (step.flags & kRecursive) != 0);
    }
    if (result == 0) {
        result = move_onto(mount, target);
    }
    clear_slot(context, step.slot);
    clear_slot(context, kTargetSlot);
    return result;
}

namespace {

// Until 6.15 only a mount that hangs in our tree can be cloned: the first mask is moved, the others are its copies.
int mask_directory(Context& context, int target) {
    const int mask = context.slots[kMaskSlot];
    if (!context.mask_attached) {
        const int moved = move_onto(mask, target);
        context.mask_attached = moved == 0;
        return moved;
    }
    const int copy = descriptor(SYS_open_tree, mask, "", kOpenTreeFlags);
    if (copy < 0) {
        return copy;
    }
    const int result = move_onto(copy, target);
    (void)sys(SYS_close, copy);
    return result;
}

// The guest's /dev/null, checked to be the device; opened once.
int null_device(Context& context) {
    int& slot = context.slots[kNullSlot];
    if (slot >= 0) {
        return slot;
    }
    const int null = open_in_root("/dev/null", O_PATH, RESOLVE_NO_SYMLINKS);
    if (null < 0) {
        return null;
    }
    const int result = check_null(null);
    if (result != 0) {
        (void)sys(SYS_close, null);
        return result;
    }
    slot = null;
    return null;
}

int mask_file(Context& context, int target) {
    const int null = null_device(context);
    if (null < 0) {
        return null;
    }
    const int copy = descriptor(SYS_open_tree, null, "", kOpenTreeFlags);
    if (copy < 0) {
        return copy;
    }
    const int result = move_onto(copy, target);
    (void)sys(SYS_close, copy);
    return result;
}

}  // namespace

// MaskPath: s1 the path: a directory becomes an empty read-only one, anything else /dev/null. Absent is fine.
int mask_path(Context& context, const Step& step) {
    const int target = open_in_root(step.s1, O_PATH, 0);
    if (target == -ENOENT || target == -ENOTDIR) {
        return 0;
    }
    if (target < 0) {
        return target;
    }

    struct statx info {};

    int result = stat_fd(target, info);
    if (result == 0) {
        const bool directory = (info.stx_mode & kTypeMask) == kTypeDirectory;
        result = directory ? mask_directory(context, target) : mask_file(context, target);
    }
    (void)sys(SYS_close, target);
    return result;
}

// ReadonlyPath: s1 the path: a copy of itself, read-only with all below it, goes on top. Absent is fine.
int readonly_path(const Step& step) {
    const int target = open_in_root(step.s1, O_PATH, 0);
    if (target == -ENOENT || target == -ENOTDIR) {
        return 0;
    }
    if (target < 0) {
        return target;
    }
    const int copy = descriptor(SYS_open_tree, target, "", kOpenTreeFlags | AT_RECURSIVE);
    int result = copy < 0 ? copy : set_attributes(copy, MOUNT_ATTR_RDONLY, true);
    if (result == 0) {
        result = move_onto(copy, target);
    }
    if (copy >= 0) {
        (void)sys(SYS_close, copy);
    }
    (void)sys(SYS_close, target);
    return result;
}

// ReadonlyRoot: the root's mount only; what is mounted below keeps its own attributes.
int readonly_root() {
    mount_attr attr{};
    attr.attr_set = MOUNT_ATTR_RDONLY;
    return status(SYS_mount_setattr, AT_FDCWD, "/", 0, &attr, sizeof(attr));
}

// BindConsole: the process's terminal becomes /dev/console as well.
int bind_console(Context& context) {
    const int target = open_in_root("/dev/console", O_PATH, RESOLVE_NO_SYMLINKS);
    if (target < 0) {
        return target;
    }
    const int copy = descriptor(SYS_open_tree, context.slots[kTerminalSlot], "", kOpenTreeFlags);
    const int result = copy < 0 ? copy : move_onto(copy, target);
    if (copy >= 0) {
        (void)sys(SYS_close, copy);
    }
    (void)sys(SYS_close, target);
    return result;
}

}  // namespace warren::isolation::child
