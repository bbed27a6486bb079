// The system calls a guest may make, as data: groups of names with the reason beside each. Pure.
// Names are libseccomp's; one that an architecture lacks costs nothing there.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace warren::isolation::lists {

// Blank-separated names.
struct Group {
    std::string_view names;
};

// For every guest.
[[nodiscard]] std::span<const Group> common();
// Namespaces and mounts. For machines, and for commands that were given CAP_SYS_ADMIN.
[[nodiscard]] std::span<const Group> mounting();
// What an init of its own needs besides.
[[nodiscard]] std::span<const Group> machine();
// What a container runtime inside a machine needs on top.
[[nodiscard]] std::span<const Group> nesting();
// Known and refused: EPERM. Nothing reads it to build a filter, EPERM being the answer to all that
// is not allowed; it marks what was decided, and how far the decisions reach (see highest known
// number).
[[nodiscard]] std::span<const Group> refused();
// Gone from Linux, or such that a C library falls back only on ENOSYS.
[[nodiscard]] std::span<const Group> absent();

// Calls that a libseccomp may be too old to name. From 424 on all architectures share one
// numbering.
struct Numbered {
    std::string_view name;
    int number;
};

[[nodiscard]] std::span<const Numbered> numbers();

}  // namespace warren::isolation::lists
