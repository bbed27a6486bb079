// Paths of the host as the command line and a bundle give them.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace warren::engine::oci {

// `path` seen from `base`: itself when it is absolute. Purely in words; "" stays `base`.
[[nodiscard]] std::string join_path(const std::string& base, const std::string& path);

// Without "." and empty steps; ".." takes a step back, also over what may be a link. Absolute.
[[nodiscard]] std::string clean_path(std::string_view path);

// Seen from the working directory, cleaned.
[[nodiscard]] base::Result<std::string> absolute_path(const std::string& path);

}  // namespace warren::engine::oci
