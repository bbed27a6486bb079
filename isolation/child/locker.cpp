// Locks a mount's attributes by carrying it over into another user namespace: see locked_mount.hpp.
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>

#include "isolation/child/interpreter.hpp"
#include "isolation/child/ops.hpp"
#include "isolation/child/syscalls.hpp"

namespace warren::isolation::child {

namespace {

// Nothing of the host's tree can be chosen to mount on, so there is a small tree of our own.
int enter_scratch() {
    const int fs = descriptor(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
    if (fs < 0) {
        return fs;
    }
    int result = status(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
    if (result != 0) {
        return result;
    }
    const int scratch = descriptor(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
    if (scratch < 0) {
        return scratch;
    }
    result = status(SYS_move_mount, scratch, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
    if (result == 0) {
        result = status(SYS_fchdir, scratch);
    }
    // A process whose root is not the topmost may not make user namespaces.
    return result != 0 ? result : status(SYS_chroot, ".");
}

// The locked copy, or a negative errno.
int lock(int mount, bool directory) {
    int result = make_private(AT_FDCWD, "/");
    if (result == 0) {
        result = make_private(mount, "");
    }
    if (result == 0) {
        result = enter_scratch();
    }
    if (result == 0) {
        result = directory ? status(SYS_mkdirat, AT_FDCWD, "m", 0700)
                           : status(SYS_mknodat, AT_FDCWD, "m", 0100600, 0);
    }
    if (result == 0) {
        result = status(SYS_move_mount, mount, "", AT_FDCWD, "m", MOVE_MOUNT_F_EMPTY_PATH);
    }
    // The mounts of a namespace that is copied for another user namespace are locked in the copy, where the
    // working directory goes along.
    if (result == 0) {
        result = status(SYS_unshare, CLONE_NEWUSER | CLONE_NEWNS);
    }
    if (result != 0) {
        return result;
    }
    constexpr unsigned kFlags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
    return descriptor(SYS_open_tree, AT_FDCWD, "m", kFlags);
}

}  // namespace

long clone_locker(const clone_args& args, Context& context, int mount, bool directory) {
    const long pid = sys(SYS_clone3, &args, sizeof(args));
    if (pid != 0) {
        return pid;
    }
    (void)sys(SYS_close, context.peer);
    const int copy = lock(mount, directory);
    if (copy < 0) {
        report_failure(context, ReportKind::Error, Op::AttachMount, copy);
        leave(1);
    }
    const Report report{kReportMagic, ReportKind::Master, 0, 0, 0, 0};
    leave(send_report(context, report, copy) == 0 ? 0 : 1);
}

}  // namespace warren::isolation::child
