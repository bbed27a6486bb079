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

// What the parent lays out before the clone. The child works on its copy.
struct Context {
    int report;    // the child's end of the channel, >= 3; survives CloseOthers
    int peer;      // the parent's end, inherited: closed first, so that a dead parent means EOF
    int stdio[3];  // Stdio::Given: what becomes 0, 1, 2
    const Step* steps;
    std::size_t step_count;
    std::uint32_t step;     // the one that is being performed
    int slots[kSlotCount];  // -1: empty
    bool mask_attached;     // the mask's tmpfs hangs in the tree: clone it from now on
};

// clone3(2), and in the child: the recipe; there it does not return. In the parent: the pid or a negative errno.
[[nodiscard]] long clone_guest(const clone_args& args, Context& context);

// clone3(2), and in the child: setns(2) into the namespaces `flags` of the process behind `target_pidfd`, then a
// sibling by CLONE_PARENT that walks the recipe, its pid reported. In the parent: the pid or a negative errno.
[[nodiscard]] long clone_joiner(const clone_args& args,
                                Context& context,
                                int target_pidfd,
                                std::uint64_t flags);

// clone3(2), and in the child: a copy of the detached mount `mount` whose attributes are locked, sent as Master. `args`
// ask for a mount namespace. In the parent: the pid or a negative errno.
[[nodiscard]] long clone_locker(const clone_args& args,
                                Context& context,
                                int mount,
                                bool directory);

}  // namespace warren::isolation::child
