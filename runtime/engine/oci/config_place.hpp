// The child's steps are named by what they do ("mounts[3]: mount proc on /proc"); engines and people look for the place
// in config.json. Pure.
#pragma once

#include "base/result.hpp"

namespace warren::engine::oci {

// The error with the JSON pointer that its text begins with; one that has a place, or names none, comes back as it is.
[[nodiscard]] base::Error with_config_place(base::Error error);

}  // namespace warren::engine::oci
