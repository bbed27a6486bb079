// The size of a directory of compiled filters. Internal to isolation.
#pragma once

#include <cstddef>
#include <cstdint>

namespace warren::isolation {

struct SeccompStoreBounds {
    std::size_t entries = 128;
    std::uint64_t bytes = std::uint64_t{8} << 20U;
};

// Removes the files that were written longest ago until both bounds hold. What cannot be read or removed stays: the
// store is only there to be quick.
void bound_seccomp_store(int dir, const SeccompStoreBounds& bounds = {});

}  // namespace warren::isolation
