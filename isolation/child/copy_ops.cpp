// tmpcopyup: a tmpfs starts with what the directory holds that it will cover. The tree is hostile: nothing is followed
// but directories, each opened from its parent, and only so deep; what it may cost is the tmpfs's own limit.
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include "isolation/child/mount_calls.hpp"
#include "isolation/child/ops.hpp"
#include "isolation/child/syscalls.hpp"

namespace warren::isolation::child {

namespace {

constexpr int kDepthLimit = 64;
constexpr std::size_t kEntriesSize = 2048;
constexpr std::uint32_t kTypeRegular = 0100000;
constexpr std::uint32_t kTypeLink = 0120000;
constexpr std::uint32_t kTypePipe = 0010000;
constexpr std::uint64_t kWithin = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;

// linux_dirent64 is not in the kernel's exported headers.
struct Entry {
    std::uint64_t inode;
    std::int64_t offset;
    std::uint16_t size;
    std::uint8_t type;
    char name[1];
};

struct Pair {
    int from;
    int to;
};

int copy_owner(int to, const char* name, const struct statx& info) {
    return status(SYS_fchownat, to, name, info.stx_uid, info.stx_gid, AT_SYMLINK_NOFOLLOW);
}

int copy_content(int from, int to) {
    for (;;) {
        const long done = sys(SYS_sendfile, to, from, nullptr, 1U << 20);
        if (done <= 0) {
            return static_cast<int>(done);
        }
    }
}

int copy_file(Pair dirs, const char* name, const struct statx& info) {
    const int from = open_at2(dirs.from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, kWithin);
    if (from < 0) {
        return from;
    }
    const int to = descriptor(
        SYS_openat, dirs.to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int result = to < 0 ? to : copy_content(from, to);
    if (result == 0) {
        result = status(SYS_fchown, to, info.stx_uid, info.stx_gid);
    }
    if (result == 0) {
        result = status(SYS_fchmod, to, info.stx_mode & 07777U);
    }
    if (to >= 0) {
        (void)sys(SYS_close, to);
    }
    (void)sys(SYS_close, from);
    return result;
}

int copy_link(Pair dirs, const char* name, const struct statx& info) {
    char target[4096];
    const long size = sys(SYS_readlinkat, dirs.from, name, target, sizeof(target) - 1);
    if (size < 0) {
        return static_cast<int>(size);
    }
    target[size] = '\0';
    const int result = status(SYS_symlinkat, target, dirs.to, name);
    return result != 0 ? result : copy_owner(dirs.to, name, info);
}

int copy_tree(Pair dirs, int depth);

int copy_directory(Pair dirs, const char* name, const struct statx& info, int depth) {
    if (depth >= kDepthLimit) {
        return -ELOOP;
    }
    int result = status(SYS_mkdirat, dirs.to, name, 0700);
    if (result != 0) {
        return result;
    }
    constexpr std::uint64_t kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
    Pair below{open_at2(dirs.from, name, kFlags, kWithin), -1};
    if (below.from < 0) {
        return below.from;
    }
    below.to = open_at2(dirs.to, name, kFlags, kWithin);
    result = below.to < 0 ? below.to : copy_tree(below, depth + 1);
    if (result == 0) {
        result = status(SYS_fchown, below.to, info.stx_uid, info.stx_gid);
    }
    if (result == 0) {
        result = status(SYS_fchmod, below.to, info.stx_mode & 07777U);
    }
    if (below.to >= 0) {
        (void)sys(SYS_close, below.to);
    }
    (void)sys(SYS_close, below.from);
    return result;
}

// Devices and sockets have no content to start with.
int copy_entry(Pair dirs, const char* name, int depth) {
    struct statx info {};

    constexpr unsigned kWanted = STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID;
    const int result = status(SYS_statx, dirs.from, name, AT_SYMLINK_NOFOLLOW, kWanted, &info);
    if (result != 0) {
        return result;
    }
    switch (info.stx_mode & kTypeMask) {
        case kTypeDirectory:
            return copy_directory(dirs, name, info, depth);
        case kTypeRegular:
            return copy_file(dirs, name, info);
        case kTypeLink:
            return copy_link(dirs, name, info);
        case kTypePipe: {
            const int made = status(SYS_mknodat, dirs.to, name, info.stx_mode, 0);
            return made != 0 ? made : copy_owner(dirs.to, name, info);
        }
        default:
            return 0;
    }
}

bool is_self_or_parent(const char* name) {
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

int copy_tree(Pair dirs, int depth) {
    alignas(Entry) unsigned char entries[kEntriesSize] = {};
    for (;;) {
        const long got = sys(SYS_getdents64, dirs.from, entries, sizeof(entries));
        if (got <= 0) {
            return static_cast<int>(got);
        }
        for (long at = 0; at < got;) {
            const auto* entry = reinterpret_cast<const Entry*>(entries + at);
            at += entry->size;
            if (is_self_or_parent(entry->name)) {
                continue;
            }
            const int result = copy_entry(dirs, entry->name, depth);
            if (result != 0) {
                return result;
            }
        }
    }
}

}  // namespace

// CopyUp: slot the mount that will cover kTargetSlot.
int copy_up(const Context& context, const Step& step) {
    if (context.target_made || context.slots[step.slot] < 0 || context.slots[kTargetSlot] < 0) {
        return 0;
    }
    constexpr std::uint64_t kFlags = O_RDONLY | O_DIRECTORY;
    Pair dirs{open_at2(context.slots[kTargetSlot], ".", kFlags, 0), -1};
    if (dirs.from < 0) {
        return dirs.from;
    }
    dirs.to = open_at2(context.slots[step.slot], ".", kFlags, 0);
    const int result = dirs.to < 0 ? dirs.to : copy_tree(dirs, 0);
    if (dirs.to >= 0) {
        (void)sys(SYS_close, dirs.to);
    }
    (void)sys(SYS_close, dirs.from);
    return result;
}

}  // namespace warren::isolation::child
