// The descriptors the program will have: terminal, standard input and outputs, and nothing else.
#include <asm/termbits.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include "isolation/child/mount_calls.hpp"
#include "isolation/child/ops.hpp"
#include "isolation/child/syscalls.hpp"

namespace warren::isolation::child {

namespace {

bool is_devpts(int fd) {
    struct statfs info {};

    return status(SYS_fstatfs, fd, &info) == 0 && info.f_type == DEVPTS_SUPER_MAGIC;
}

// In a running guest /dev/pts is the guest's to forge. Only a devpts instance's own ptmx is opened, by its directory:
// nothing mounted over it, no link, and never a device or pipe whose opening would do something else.
int open_ptmx() {
    const int dir = open_in_root("/dev/pts", O_PATH | O_DIRECTORY, 0);
    if (dir < 0) {
        return dir;
    }
    int result = -ENOTTY;
    if (is_devpts(dir)) {
        open_how how{};
        how.flags = O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC;
        how.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;
        result = descriptor(SYS_openat2, dir, "ptmx", &how, sizeof(how));
    }
    (void)sys(SYS_close, dir);
    if (result == -EXDEV) {
        return -ENOTTY;
    }
    if (result < 0) {
        return result;
    }

    struct statx info {};

    const int known = status(SYS_statx, result, "", AT_EMPTY_PATH, STATX_TYPE, &info);
    if (known != 0 || (info.stx_mode & kTypeMask) != kTypeChar || info.stx_rdev_major != 5 ||
        info.stx_rdev_minor != 2) {
        (void)sys(SYS_close, result);
        return -ENOTTY;
    }
    return result;
}

int open_slave(int master, const Step& step) {
    int locked = 0;
    int result = status(SYS_ioctl, master, TIOCSPTLCK, &locked);
    if (result != 0) {
        return result;
    }
    const int slave = descriptor(SYS_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0) {
        return slave;
    }
    winsize size{};
    size.ws_row = static_cast<unsigned short>(step.a >> 16);
    size.ws_col = static_cast<unsigned short>(step.a);
    result = status(SYS_ioctl, slave, TIOCSWINSZ, &size);
    if (result == 0) {
        result = status(SYS_fchown, slave, step.b, -1);
    }
    if (result != 0) {
        (void)sys(SYS_close, slave);
        return result;
    }
    return slave;
}

// Looked at before it is opened: opening may do something where it is another device.
int open_own_null() {
    const int path = open_in_root("/dev/null", O_PATH, RESOLVE_NO_SYMLINKS);
    if (path < 0) {
        return path;
    }
    int result = check_null(path);
    (void)sys(SYS_close, path);
    if (result != 0) {
        return result;
    }
    const int null = open_in_root("/dev/null", O_RDWR | O_NOCTTY, RESOLVE_NO_SYMLINKS);
    result = null < 0 ? null : check_null(null);
    if (null >= 0 && result != 0) {
        (void)sys(SYS_close, null);
    }
    return result != 0 ? result : null;
}

}  // namespace

// OpenTerminal: a rows << 16 | columns, b the owner's uid. The master goes to the parent, the slave to kTerminalSlot.
int open_terminal(Context& context, const Step& step) {
    const int master = open_ptmx();
    if (master < 0) {
        return master;
    }
    const int slave = open_slave(master, step);
    int result = slave < 0 ? slave : 0;
    if (result == 0) {
        const Report report{kReportMagic, ReportKind::Master, 0, 0, 0, 0};
        context.slots[kTerminalSlot] = slave;
        result = send_report(context, report, master);
    }
    (void)sys(SYS_close, master);
    return result;
}

// TakeStdio: a 1 for the terminal, 0 for the descriptors that were given.
int take_stdio(Context& context, const Step& step) {
    const bool terminal = step.a == 1;
    int sources[3];
    for (int i = 0; i < 3; ++i) {
        const int from = terminal ? context.slots[kTerminalSlot] : context.stdio[i];
        // Out of the way first: the descriptors may be 0, 1, 2 in another order.
        sources[i] = descriptor(SYS_fcntl, from, F_DUPFD_CLOEXEC, 3);
        if (sources[i] < 0) {
            return sources[i];
        }
    }
    for (int i = 0; i < 3; ++i) {
        const int result = descriptor(SYS_dup3, sources[i], i, 0);
        if (result < 0) {
            return result;
        }
    }
    return terminal ? status(SYS_ioctl, 0, TIOCSCTTY, 0) : 0;
}

// OwnNull: a standard descriptor that is the caller's null device becomes the root's own, where there is one. What a
// process has open outside of its root keeps it from being saved by criu.
int own_null() {
    int null = -1;
    for (int i = 0; i < 3; ++i) {
        if (check_null(i) != 0) {
            continue;
        }
        if (null < 0) {
            null = open_own_null();
        }
        if (null >= 0) {
            const int result = descriptor(SYS_dup3, null, i, 0);
            if (result < 0) {
                return result;
            }
        }
    }
    if (null >= 0) {
        (void)sys(SYS_close, null);
    }
    return 0;
}

// CloseOthers: closed, not only close-on-exec: a later chdir("/proc/self/fd/N") must find nothing to enter
// (CVE-2024-21626).
int close_others(const Context& context) {
    const auto report = static_cast<unsigned>(context.report);
    int result = 0;
    if (report > 3) {
        result = status(SYS_close_range, 3U, report - 1, 0U);
    }
    if (result == 0) {
        result = status(SYS_close_range, report + 1, ~0U, 0U);
    }
    return result;
}

}  // namespace warren::isolation::child
