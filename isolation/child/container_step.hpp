// Operands of the containers' ops. Plain data, as step.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isolation/child/step.hpp"

namespace warren::isolation::child {

inline constexpr std::uint16_t kReplace = 16;    // MakeLink: a file at its place goes
inline constexpr std::uint16_t kTidy = 32;       // RenewMount: nothing stays on the host's tree
inline constexpr std::uint16_t kKeep = 64;       // PlaceMount: the slot stays filled, for changes
inline constexpr std::uint16_t kNoFollow = 128;  // MakeTarget: a link at the end is the target
inline constexpr std::uint32_t kTypeFifo = 0010000;

// Step::data of MountFileSystem: mount(2).
struct MountData {
    const char* source;
    const char* type;
    const char* options;
    std::uint64_t flags;
};

// Step::data of MakeNode.
struct NodeData {
    std::uint32_t mode;  // S_IF* and permissions
    std::uint32_t major;
    std::uint32_t minor;
    std::uint32_t uid;
    std::uint32_t gid;
    std::uint64_t device;  // as mknod(2) takes it
};

// Step::data of RunHook. The arrays end with a null pointer.
struct HookData {
    const char* path;
    char* const* argv;
    char* const* env;
    std::int32_t timeout_ms;  // -1: none
};

// Report::value of a hook that ran: 0 for one that did not, else its status + 1, or the signal's number, negative.
inline constexpr std::int32_t kHookStatus = 1;

}  // namespace warren::isolation::child
