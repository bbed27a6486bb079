// Paths as archives write them, taken apart.
#pragma once

#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "images/image.hpp"

namespace warren::images {

// The components below the tree's root: "/usr//bin/./su" is usr, bin, su; the root itself is none.
// Refuses "..", and what is longer or deeper than the limits.
[[nodiscard]] base::Result<std::vector<std::string>> split_path(const std::string& path,
                                                                const ImportLimits& limits);

}  // namespace warren::images
