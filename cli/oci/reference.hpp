// The man page and the shell completions of warren-oci, filled in from the tables of verbs and options.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace warren::cli::oci {

// Replaces each line "@@WORD@@" of a template by what it stands for:
//   VERSION_TITLE   .TH of the man page            BASH_TABLES   functions that answer what a verb takes
//   GLOBAL_OPTIONS  the options before the verb    ZSH_TABLES    the same for zsh
//   VERBS           a section for each verb
// An unknown word is an error that names it.
[[nodiscard]] base::Result<std::string> fill_reference(std::string_view text);

}  // namespace warren::cli::oci
