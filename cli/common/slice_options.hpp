// SLICE: a guest's share of the host, as create, run and set take it.
#pragma once

#include "base/result.hpp"
#include "cgroups/limits.hpp"
#include "cli/common/arguments.hpp"
#include "cli/common/option.hpp"

namespace warren::cli {

extern const OptionGroup kSliceGroup;

// Absent options leave their member absent; "none" takes a limit off. Errors name the option and the text.
[[nodiscard]] base::Result<cgroups::Limits> parse_slice(const Arguments& arguments);

}  // namespace warren::cli
