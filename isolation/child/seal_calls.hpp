// The system calls that seal a program (isolation/sealed_program.hpp), without libc: also for what runs before libc does.
#pragma once

#include <cstdint>

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include "isolation/child/syscalls.hpp"

namespace warren::isolation::child {

// Whether this process runs from a read-only mount.
[[gnu::always_inline]] inline bool runs_sealed() {
    struct statfs info;

    // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): the kernel fills it.
    return sys(SYS_statfs, "/proc/self/exe", &info) == 0 && (info.f_flags & ST_RDONLY) != 0;
}

enum class SealStep : std::uint8_t { CloneMount, MakeReadOnly, Run };

struct SealFailure {
    SealStep step;
    int error_number;
};

// Runs this process's own file anew from a read-only detached mount of it; returns only when that failed, and then with
// nothing changed.
[[gnu::always_inline]] inline SealFailure exec_sealed(char* const* argv, char* const* env) {
    constexpr unsigned kFlags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
    const int file = descriptor(SYS_open_tree, AT_FDCWD, "/proc/self/exe", kFlags);
    if (file < 0) {
        return {SealStep::CloneMount, -file};
    }
    mount_attr attr;
    attr.attr_set = MOUNT_ATTR_RDONLY;
    attr.attr_clr = 0;
    attr.propagation = 0;
    attr.userns_fd = 0;
    SealFailure failure{SealStep::MakeReadOnly, 0};
    failure.error_number = -status(SYS_mount_setattr, file, "", AT_EMPTY_PATH, &attr, sizeof(attr));
    if (failure.error_number == 0) {
        failure.step = SealStep::Run;
        failure.error_number = -status(SYS_execveat, file, "", argv, env, AT_EMPTY_PATH);
    }
    (void)sys(SYS_close, file);
    return failure;
}

}  // namespace warren::isolation::child
