// openat2(2) as the other files of base call it. glibc has no wrapper.
#pragma once

#include <cstdint>

#include <linux/openat2.h>
#include <sys/types.h>

namespace warren::base {

// The descriptor, or -1 and errno. O_CLOEXEC is added, EINTR retried, and EAGAIN (a rename or mount
// raced with the walk) retried a bounded number of times, since a guest can make it last.
[[nodiscard]] int openat2_retrying(
    int at, const char* path, int flags, mode_t mode, std::uint64_t resolve);

}  // namespace warren::base
