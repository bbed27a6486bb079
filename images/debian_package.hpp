// Single files out of Debian packages, fetched by apt with its signatures checked.
#pragma once

#include <string>

#include "base/result.hpp"

namespace warren::images {

// The content of `path` ("bin/busybox") in the current stable Debian's `package`. apt works in a
// private state directory below `scratch`, which is left dirty. At most 64 MiB.
[[nodiscard]] base::Result<std::string> fetch_package_file(int scratch,
                                                           const std::string& package,
                                                           const std::string& path);

}  // namespace warren::images
