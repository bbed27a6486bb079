// What the completion scripts of bash and zsh know of verbs and options.
#pragma once

#include <string>

namespace warren::cli {

// _warren_verbs; _warren_options VERB; _warren_value VERB OPTION; _warren_operand VERB: each prints words. The last two
// print a kind: "guest", "image", "file", "directory", "none", or "words" with the words.
[[nodiscard]] std::string bash_tables();
// _warren_verbs (with what they do) and _warren_specs VERB, which sets the array `specs` for _arguments.
[[nodiscard]] std::string zsh_tables();

}  // namespace warren::cli
