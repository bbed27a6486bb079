// The help texts, made from the tables of verbs and options.
#pragma once

#include <string>
#include <string_view>

#include "cli/vps/verb.hpp"

namespace warren::cli {

// All verbs and the global options.
[[nodiscard]] std::string overview_help();
[[nodiscard]] std::string verb_help(const Verb& verb);
// The verbs below "image".
[[nodiscard]] std::string image_help();
// Whether its help lists the columns of guest_columns().
[[nodiscard]] bool takes_columns(const Verb& verb);

}  // namespace warren::cli
