// Processes that are born beside a running guest or container and enter it. Internal to isolation.
#pragma once

#include <cstdint>

#include "base/pidref.hpp"
#include "base/result.hpp"
#include "isolation/child/interpreter.hpp"
#include "isolation/handshake.hpp"
#include "isolation/owned_child.hpp"

namespace warren::isolation {

// The joiner's only message: the process it made, which is a child of ours. `joiner` is reaped.
[[nodiscard]] base::Result<OwnedChild> adopt(int channel, OwnedChild joiner);

// Clones a process that enters the namespaces `flags` of `target` and then walks the recipe of `context`; it waits for its
// release. Closes the child's end of the channel.
[[nodiscard]] base::Result<OwnedChild> clone_joined(Channel& channel,
                                                    child::Context& context,
                                                    const base::PidRef& target,
                                                    std::uint64_t flags,
                                                    int cgroup_fd);

}  // namespace warren::isolation
