// The code that runs between clone and exec. It allocates nothing, takes no lock, logs nothing, throws nothing and
// calls nothing but system calls: the process is a copy of a parent it knows nothing about, and soon it stands
// inside walls whose other side is hostile. The folder is compiled with warren::child_flags, and a test reads its
// undefined symbols against an allow-list.
#pragma once

#include <cstddef>
#include <cstdint>

#include <linux/sched.h>

#include "isolation/child/step.hpp"

namespace warren::isolation::child {

// What the parent lays out before the clone. The child works on its copy, or with CLONE_VM on this one.
struct Context {
    int report;    // the child's end of the channel, >= 3; survives CloseOthers
    int peer;      // the parent's end, inherited: closed first, so that a dead parent means EOF
    int stdio[3];  // Stdio::Given: what becomes 0, 1, 2
    const Step* steps;
    std::size_t step_count;
    std::uint32_t step;     // the one that is being performed
    int slots[kSlotCount];  // -1: empty
    bool mask_attached;     // the mask's tmpfs hangs in the tree: clone it from now on
    bool target_made;       // MakeTarget made the last component just now
    // The rest is for containers.
    const char* const* sites;  // each step in words; nullptr: none
    bool tell_site;            // the receiver of reports does not know the recipe
    bool cwd_denied;           // TryChangeDir had to leave it to RetryChangeDir
    std::int32_t detail;       // Report::value of the next failure
};

// What a joiner of a container does between its birth and the clone of the container's process.
struct JoinRequest {
    int fds[8];                 // namespaces other than user; -1: none
    std::uint64_t types[8];     // CLONE_NEW* of each
    int user_fd;                // -1: none
    std::uint64_t clone_flags;  // of the process: CLONE_NEW*
    bool dumpable;              // the caller is an ordinary user and must reach /proc/PID
};

// clone3(2), and in the child: the recipe; there it does not return. In the parent: the pid or a negative errno.
// With CLONE_VM `args` name a stack, and stack and context must stay until the child has executed its program or ended.
[[nodiscard]] long clone_guest(const clone_args& args, Context& context);

// clone3(2), and in the child: setns(2) into the namespaces `flags` of the process behind `target_pidfd`, then the
// recipe. For its PID namespace a process must be born there: CLONE_NEWPID is not among them. In the parent: the pid or a
// negative errno.
[[nodiscard]] long clone_entering(const clone_args& args,
                                  Context& context,
                                  int target_pidfd,
                                  std::uint64_t flags);

// clone3(2), and in the child: setns(2) as above, then a sibling by CLONE_PARENT that walks the recipe, its pid reported.
// In the parent: the pid or a negative errno.
[[nodiscard]] long clone_joiner(const clone_args& args,
                                Context& context,
                                int target_pidfd,
                                std::uint64_t flags);

// clone3(2), and in the child: setns(2) into each namespace of the request, then as clone_joiner().
[[nodiscard]] long clone_container_joiner(const clone_args& args,
                                          Context& context,
                                          const JoinRequest& request);

// clone3(2), and in the child: a copy of the detached mount `mount` whose attributes are locked, sent as Master. `args`
// ask for a mount namespace. In the parent: the pid or a negative errno.
[[nodiscard]] long clone_locker(const clone_args& args,
                                Context& context,
                                int mount,
                                bool directory);

}  // namespace warren::isolation::child
