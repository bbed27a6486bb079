// System calls on mounts that several of the child's files make. Internal to the child.
#pragma once

#include <cstddef>
#include <cstdint>

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include "isolation/child/syscalls.hpp"

namespace warren::isolation::child {

inline constexpr int kMoveByFd = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
inline constexpr unsigned kOpenTreeFlags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
// MS_PRIVATE and MNT_DETACH: <sys/mount.h> does not go together with <linux/mount.h>.
inline constexpr std::uint64_t kPrivate = 1U << 18;
inline constexpr int kDetach = 2;
inline constexpr std::uint32_t kTypeMask = 0170000;
inline constexpr std::uint32_t kTypeDirectory = 0040000;
inline constexpr std::uint32_t kTypeChar = 0020000;

// openat2(2), close-on-exec, without magic links.
inline int open_at2(int dir, const char* path, std::uint64_t flags, std::uint64_t resolve) {
    open_how how{};
    how.flags = flags | O_CLOEXEC;
    how.resolve = resolve | RESOLVE_NO_MAGICLINKS;
    // EAGAIN: a rename somewhere raced with the walk and the kernel could not vouch for the result.
    for (int tries = 0; tries < 64; ++tries) {
        const int fd = descriptor(SYS_openat2, dir, path, &how, sizeof(how));
        if (fd != -EAGAIN) {
            return fd;
        }
    }
    return -EAGAIN;
}

inline int stat_fd(int fd, struct statx& result, unsigned mask = STATX_TYPE) {
    return status(SYS_statx, fd, "", AT_EMPTY_PATH, mask, &result);
}

// 0 when it is the null device, by its number; -ENODEV when it is anything else.
inline int check_null(int fd) {
    struct statx info {};

    const int result = stat_fd(fd, info);
    const bool null = (info.stx_mode & kTypeMask) == kTypeChar && info.stx_rdev_major == 1 &&
                      info.stx_rdev_minor == 3;
    return result != 0 ? result : null ? 0 : -ENODEV;
}

inline int move_onto(int mount, int target) {
    return status(SYS_move_mount, mount, "", target, "", kMoveByFd);
}

}  // namespace warren::isolation::child
