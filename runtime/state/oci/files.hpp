// What the store's parts share.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace warren::state::oci {

// Names of the directories in a directory: one scan, stat only where the file system tells no types.
[[nodiscard]] base::Result<std::vector<std::string>> list_directories(int at);

}  // namespace warren::state::oci
