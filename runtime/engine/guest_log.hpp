// What a guest's first process prints: guests/NAME/log on the guest's own disk share. The guest (or the console
// keeper, for a terminal) appends to it directly, so no process of ours stands in the way and none can be killed under a
// guest. The bound is kept by punching out the oldest blocks (fallocate(2) FALLOC_FL_PUNCH_HOLE): writers never notice and
// nothing is copied. Every verb that meets the guest trims, and the console keeper does so while it runs.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/fd.hpp"
#include "base/ids.hpp"
#include "runtime/engine/context.hpp"

namespace warren::engine {

// Disk the log may take: trimmed to half when it has grown over the whole.
inline constexpr std::uint64_t kLogBytesMax = 8ULL << 20;

// For appending; made when absent, owned by the guest's root so that programs may open /dev/stdout anew. A log whose
// offsets have grown past 1 GiB starts over.
[[nodiscard]] base::Result<base::Fd> open_log(const Context& context,
                                              const base::Name& name,
                                              std::uint32_t uid,
                                              std::uint32_t gid);

// Best effort: a log that cannot be trimmed now is trimmed by the next verb.
void trim_log(const Context& context, const base::Name& name);
void trim_log_file(int fd);

// Writes the log, or its last lines, to `out_fd`; with follow goes on while `alive` says so.
[[nodiscard]] base::Status write_log(const Context& context,
                                     const base::Name& name,
                                     std::optional<std::uint64_t> last_lines,
                                     bool follow,
                                     int out_fd,
                                     const std::function<bool()>& alive);

}  // namespace warren::engine
