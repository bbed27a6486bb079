// The kernel's mount calls by number: the C library's wrappers clash with the kernel's header before glibc 2.37.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/bench/floor_guest.hpp"

namespace floor_bench {

inline int checked(long result, const char* what) {
    if (result < 0) {
        die(what);
    }
    return static_cast<int>(result);
}

using Options = std::vector<std::pair<const char*, const char*>>;  // an empty value is a flag

inline int configure_fs(const char* type, const Options& options) {
    const int context = checked(::syscall(SYS_fsopen, type, FSOPEN_CLOEXEC), type);
    for (const auto& [key, value] : options) {
        const auto command = *value == '\0' ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
        checked(::syscall(SYS_fsconfig, context, command, key, *value == '\0' ? nullptr : value, 0),
                key);
    }
    checked(::syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0), type);
    return context;
}

inline int mount_fs(const char* type, const Options& options, std::uint64_t attributes) {
    const int context = configure_fs(type, options);
    const int mount = checked(::syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes), type);
    (void)::close(context);
    return mount;
}

inline int clone_tree(int at, const char* path, bool recursive) {
    const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | unsigned{AT_EMPTY_PATH} |
                           (recursive ? unsigned{AT_RECURSIVE} : 0U);
    return checked(::syscall(SYS_open_tree, at, path, flags), path);
}

// `path` below `at`, or `at` itself when it is empty.
inline void set_mount(int at, const char* path, bool recursive, mount_attr attributes) {
    const unsigned flags = unsigned{AT_EMPTY_PATH} | (recursive ? unsigned{AT_RECURSIVE} : 0U);
    checked(::syscall(SYS_mount_setattr, at, path, flags, &attributes, sizeof attributes),
            "mount_setattr");
}

inline void move_onto(int mount, int target, const char* path) {
    const unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (*path == '\0' ? MOVE_MOUNT_T_EMPTY_PATH : 0U);
    checked(::syscall(SYS_move_mount, mount, "", target, path, flags), path);
}

}  // namespace floor_bench
