// What the completion scripts of bash and zsh know of verbs and options.
#pragma once

#include <string>

namespace warren::cli {

// _warren_verbs; _warren_options VERB; _warren_value VERB OPTION; _warren_operand VERB: each prints words. The last two
// print a kind: "guest", "image", "file", "directory", "none", or "words" with the words.
[[nodiscard]] std::string bash_tables();
// _warren_set_verbs sets the arrays `verbs` and `image_verbs` (each verb with what it does), _warren_specs VERB the
// array `specs` for _arguments: all of the caller.
[[nodiscard]] std::string zsh_tables();

}  // namespace warren::cli
