// A container's root, mounts and nodes, as far as a guest's recipe has no word for them. From EnterRoot on "/" is the
// container's root, as it is after PivotRoot.
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

constexpr unsigned kRemoveDirectory = 0x200;  // AT_REMOVEDIR

// An optional mount whose making failed has said so; what follows for it is passed over.
bool passed_over(const Context& context, const Step& step) {
    return (step.flags & kOptional) != 0 &&
           (context.slots[step.slot] < 0 || context.slots[kTargetSlot] < 0);
}

int set_attr(int dir, const char* path, mount_attr attr, bool recursive) {
    const unsigned flags = AT_EMPTY_PATH | (recursive ? unsigned{AT_RECURSIVE} : 0U);
    return status(SYS_mount_setattr, dir, path, flags, &attr, sizeof(attr));
}

// A new instance by mount(2), over /proc for the moment, in this process's mount namespace only.
int mount_over_proc(const MountData& mount) {
    return status(SYS_mount, mount.source, "/proc", mount.type, mount.flags, mount.options);
}

}  // namespace

// CloneHostTree: s1 a path of the host, flags kRecursive, slot what receives the detached mount.
int clone_host_tree(Context& context, const Step& step) {
    const unsigned depth = (step.flags & kRecursive) != 0 ? unsigned{AT_RECURSIVE} : 0U;
    const int mount =
        descriptor(SYS_open_tree, AT_FDCWD, step.s1, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | depth);
    context.slots[step.slot] = mount < 0 ? -1 : mount;
    return mount < 0 ? mount : 0;
}

// MountFileSystem: data a MountData, slot what receives the detached mount. For options that fsconfig(2) does not
// take: values of more than 255 bytes.
int mount_file_system(Context& context, const Step& step) {
    MountData data;
    __builtin_memcpy(&data, step.data, sizeof(data));
    int result = mount_over_proc(data);
    if (result != 0) {
        return result;
    }
    const int mount =
        descriptor(SYS_open_tree, AT_FDCWD, "/proc", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    result = status(SYS_umount2, "/proc", kDetach);
    if (mount < 0) {
        return mount;
    }
    context.slots[step.slot] = mount;
    if (result == 0 && step.a != 0) {
        mount_attr attr{};
        attr.attr_set = step.a;
        attr.attr_clr = (step.a & MOUNT_ATTR__ATIME) != 0 ? MOUNT_ATTR__ATIME : 0;
        result = set_attr(mount, "", attr, false);
    }
    return result;
}

namespace {

// Where a mount can hang in this process's tree for a moment: with a procfs of the host's these exist.
constexpr const char* kDirectoryStage = "/proc/fs";
constexpr const char* kFileStage = "/proc/filesystems";

}  // namespace

// RenewMount: slot a detached mount, flags kDirectory, kTidy: a copy takes its place, younger than all mounts that were
// made before it. Another's detached mount cannot be copied (open_tree(2): EINVAL), only what hangs in the own tree;
// there it stays, until the old root goes. What cannot be hung there keeps its age.
int renew_mount(Context& context, const Step& step) {
    const int mount = context.slots[step.slot];
    const char* stage = (step.flags & kDirectory) != 0 ? kDirectoryStage : kFileStage;
    const int target = mount < 0 ? mount : open_at2(AT_FDCWD, stage, O_PATH, 0);
    if (target < 0) {
        return 0;
    }
    const int hung = move_onto(mount, target);
    (void)sys(SYS_close, target);
    if (hung != 0) {
        return 0;
    }
    const int copy = descriptor(SYS_open_tree, mount, "", kOpenTreeFlags | AT_RECURSIVE);
    // What is taken down later may not take its peers on the host along.
    int result = make_private(mount, "");
    if (result == 0 && (step.flags & kTidy) != 0) {
        result = status(SYS_umount2, stage, kDetach);
    }
    clear_slot(context, step.slot);
    context.slots[step.slot] = copy < 0 ? -1 : copy;
    return copy < 0 ? copy : result;
}

// Reconfigure: slot a mount, data options as those of OpenFileSystem: its file system gets them.
int reconfigure(const Context& context, const Step& step) {
    const int fs =
        descriptor(SYS_fspick, context.slots[step.slot], "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
    if (fs < 0) {
        return fs;
    }
    int result = set_options(fs, step);
    if (result == 0) {
        result = status(SYS_fsconfig, fs, FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0);
    }
    (void)sys(SYS_close, fs);
    return result;
}

// SetPropagation: a MS_PRIVATE and its kin, flags kRecursive, slot the mount, or -1 for "/".
int set_propagation(const Context& context, const Step& step) {
    mount_attr attr{};
    attr.propagation = step.a;
    const bool recursive = (step.flags & kRecursive) != 0;
    if (step.slot < 0) {
        return set_attr(AT_FDCWD, "/", attr, recursive);
    }
    if (passed_over(context, step)) {
        return 0;
    }
    return set_attr(context.slots[step.slot], "", attr, recursive);
}

// ChangeMount: slot the mount, a MOUNT_ATTR_* to set, b those to clear, flags kRecursive.
int change_mount(const Context& context, const Step& step) {
    if (passed_over(context, step)) {
        return 0;
    }
    mount_attr attr{};
    attr.attr_set = step.a;
    attr.attr_clr = step.b;
    return set_attr(context.slots[step.slot], "", attr, (step.flags & kRecursive) != 0);
}

// PlaceMount: slot a detached mount, as it is, flags kKeep; goes onto kTargetSlot.
int place_mount(Context& context, const Step& step) {
    int result = 0;
    if (!passed_over(context, step)) {
        result = move_onto(context.slots[step.slot], context.slots[kTargetSlot]);
    }
    if ((step.flags & kKeep) == 0) {
        clear_slot(context, step.slot);
    }
    clear_slot(context, kTargetSlot);
    return result;
}

// InheritMode: the root of the mount in slot gets the permissions of the directory it will cover; one that was made
// for it just now has none to give.
int inherit_mode(const Context& context, const Step& step) {
    if (context.target_made || passed_over(context, step)) {
        return 0;
    }

    struct statx info {};

    int result = stat_fd(context.slots[kTargetSlot], info, STATX_TYPE | STATX_MODE);
    if (result != 0 || (info.stx_mode & kTypeMask) != kTypeDirectory) {
        return result;
    }
    const int top =
        descriptor(SYS_openat, context.slots[step.slot], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (top < 0) {
        return top;
    }
    result = status(SYS_fchmod, top, info.stx_mode & 07777U);
    (void)sys(SYS_close, top);
    return result;
}

// MakeNode: s1 the name in the directory kTargetSlot, data a NodeData. What exists is left alone when it is the same
// device.
int make_node(Context& context, const Step& step) {
    NodeData node;
    __builtin_memcpy(&node, step.data, sizeof(node));
    const int dir = context.slots[kTargetSlot];
    const long mask = sys(SYS_umask, 0);
    int result = status(SYS_mknodat, dir, step.s1, node.mode, node.device);
    (void)sys(SYS_umask, mask);
    const bool existed = result == -EEXIST;
    if (result == 0 || existed) {
        const int made = open_at2(dir, step.s1, O_PATH | O_NOFOLLOW, 0);

        struct statx info {};

        result = made < 0 ? made : stat_fd(made, info);
        const bool fifo = (node.mode & kTypeMask) == kTypeFifo;
        const bool same =
            (info.stx_mode & kTypeMask) == (node.mode & kTypeMask) &&
            (fifo || (info.stx_rdev_major == node.major && info.stx_rdev_minor == node.minor));
        if (result == 0 && !same) {
            result = -EEXIST;
        }
        if (result == 0 && !existed) {
            result = status(SYS_fchownat, made, "", node.uid, node.gid, AT_EMPTY_PATH);
        }
        if (made >= 0) {
            (void)sys(SYS_close, made);
        }
    }
    clear_slot(context, kTargetSlot);
    return result;
}

// MakeLink: s1 the name in the directory kTargetSlot, s2 what it says, flags kReplace: a file of that name goes.
int make_link(Context& context, const Step& step) {
    const int dir = context.slots[kTargetSlot];
    int result = status(SYS_symlinkat, step.s2, dir, step.s1);
    if (result == -EEXIST) {
        result = 0;
        if ((step.flags & kReplace) != 0) {
            result = status(SYS_unlinkat, dir, step.s1, 0);
            if (result == -EISDIR) {
                result = status(SYS_unlinkat, dir, step.s1, kRemoveDirectory);
            }
            if (result == 0) {
                result = status(SYS_symlinkat, step.s2, dir, step.s1);
            }
        }
    }
    clear_slot(context, kTargetSlot);
    return result;
}

// HideHost: with no pivot the host's tree stays below the container's root, out of reach but counted: a full /proc or
// /sys in it would entitle a user namespace inside to mount fresh ones, without the masks. Where they are locked
// something empty covers them.
int hide_host() {
    constexpr const char* kPaths[] = {"/proc", "/sys"};
    for (const char* path : kPaths) {
        int result = status(SYS_umount2, path, kDetach);
        if (result == -EPERM) {
            result = status(SYS_mount, "tmpfs", path, "tmpfs", 0, "size=4k,nr_inodes=2");
        }
        if (result != 0 && result != -EINVAL && result != -ENOENT) {
            return result;
        }
    }
    return 0;
}

// EnterRoot: slot a directory, "/" from here on. The way back stays open for LeaveRoot.
int enter_root(Context& context, const Step& step) {
    clear_slot(context, kHostRootSlot);
    const int host = descriptor(SYS_openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (host < 0) {
        return host;
    }
    context.slots[kHostRootSlot] = host;
    int result = status(SYS_fchdir, context.slots[step.slot]);
    if (result == 0) {
        result = status(SYS_chroot, ".");
    }
    return result;
}

// LeaveRoot: back to where EnterRoot came from; slot the directory to stand in.
int leave_root(Context& context, const Step& step) {
    int result = status(SYS_fchdir, context.slots[kHostRootSlot]);
    if (result == 0) {
        result = status(SYS_chroot, ".");
    }
    if (result == 0) {
        result = status(SYS_fchdir, context.slots[step.slot]);
    }
    clear_slot(context, kHostRootSlot);
    return result;
}

}  // namespace warren::isolation::child
