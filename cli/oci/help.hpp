// The help texts, made from the tables of verbs and options.
#pragma once

#include <string>

#include "cli/oci/verb.hpp"

namespace warren::cli::oci {

// All verbs and the global options.
[[nodiscard]] std::string overview_help();
[[nodiscard]] std::string verb_help(const Verb& verb);

}  // namespace warren::cli::oci
