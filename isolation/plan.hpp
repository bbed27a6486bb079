// From values to recipes. Pure: no system call, same input, same recipe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "isolation/recipe.hpp"
#include "isolation/types.hpp"

namespace warren::isolation {

// Descriptors that travel with the release (see launcher.hpp), by index. Binds follow from kFirstBindSlot on.
inline constexpr std::uint32_t kRootSlot = 0;  // the guest's root, a detached mount
inline constexpr std::uint32_t kDevSlot = 1;   // its /dev, a detached mount
inline constexpr std::uint32_t kFirstBindSlot = 2;
inline constexpr std::uint32_t kBindLimit = 128;

// Everything the first process of a guest needs to build its walls and become the guest's init.
struct GuestSpec {
    NamespaceSet namespaces = NamespaceSet::all();
    std::string hostname;
    std::vector<TimeOffset> time_offsets;  // of the guest's time namespace
    // The child may run in the launcher's memory until its program runs: see shares_memory().
    bool share_memory = false;
    bool readonly_root = false;
    std::vector<MountSpec> mounts;
    std::vector<std::string> masked_paths;
    std::vector<std::string> readonly_paths;
    std::vector<std::vector<std::byte>> netlink_requests;  // sent inside the new network namespace
    bool machine = false;
    ProcessSpec process;
};

// Whether the launcher clones the child with CLONE_VM, which spares the copy of its page tables and of each page that
// either writes. Not with an oom_score_adj: the kernel gives it to every process that shares the memory. The caller
// of plan_guest() answers for the rest by GuestSpec::share_memory: an own time namespace is entered by exec (Linux
// 6.2), and the guest's memory limit leaves room for its walls, as the OOM killer spares no sharer.
[[nodiscard]] bool shares_memory(const GuestSpec& spec);

// Something that enters a running guest.
struct JoinSpec {
    NamespaceSet namespaces = NamespaceSet::none();  // those the guest has of its own
    ProcessSpec process;
};

// A guest's first process: waits for its release, then everything up to exec.
[[nodiscard]] base::Result<Recipe> plan_guest(const GuestSpec& spec, const SeccompProgram& filter);
// The process that runs inside after the joiner has entered the namespaces.
[[nodiscard]] base::Result<Recipe> plan_join(const JoinSpec& spec, const SeccompProgram& filter);

}  // namespace warren::isolation
