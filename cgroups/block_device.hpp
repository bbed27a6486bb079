// Finds the disk behind what a user calls a device. io.max takes whole disks only.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace warren::cgroups {

struct BlockDevice {
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    bool operator==(const BlockDevice&) const = default;
};

// "8:1", a block device's path, or any other path: the device that its file system is on. A partition stands for
// its disk. `sys` is "/sys" but in tests. Usage errors name the text.
[[nodiscard]] base::Result<BlockDevice> find_disk(const std::string& text,
                                                  const std::string& sys = "/sys");

}  // namespace warren::cgroups
