// What a directory's file system is called, for error texts and doctor.
#pragma once

#include <string>

namespace warren::images {

// By the magic number of statfs(2): "ext4", "xfs"; an unknown one as "0x6969".
[[nodiscard]] std::string file_system_name(int fd);

}  // namespace warren::images
