// What a recipe cannot express is refused before anything is cloned. Pure. Internal to isolation.
#pragma once

#include <cstdint>

#include <linux/mount.h>

#include "base/result.hpp"
#include "isolation/plan.hpp"

namespace warren::isolation {

// Of the empty tmpfs over a masked directory.
inline constexpr std::uint64_t kMaskAttributes =
    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

// Usage errors, each with its place.
[[nodiscard]] base::Status check_guest(const GuestSpec& spec);
[[nodiscard]] base::Status check_process(const ProcessSpec& process, const SeccompProgram& filter);

}  // namespace warren::isolation
