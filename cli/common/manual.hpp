// Pieces of man pages and of other references that the tables of options and verbs fill.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "cli/common/option.hpp"

namespace warren::cli {

// As roff text: minus signs that can be copied, no line that begins with a control character.
[[nodiscard]] std::string roff(std::string_view text);
// As one argument of a roff request.
[[nodiscard]] std::string roff_quoted(std::string_view text);
// A tagged paragraph each.
[[nodiscard]] std::string man_options(const OptionGroup& group);
// A verb's heading, summary and paragraphs: "warren start NAME".
[[nodiscard]] std::string man_verb_head(std::string_view command,
                                        std::string_view usage,
                                        std::string_view summary,
                                        std::string_view text);
[[nodiscard]] std::string man_example(std::string_view lines);

using FillWord = std::function<base::Result<std::string>(std::string_view word)>;

// Replaces each line "@@WORD@@" of a template by what `fill` gives for the word.
[[nodiscard]] base::Result<std::string> fill_template(std::string_view text, const FillWord& fill);

// Builds write references with it: the template's file, filled, on standard output. Gives the exit code.
[[nodiscard]] int print_filled_template(
    std::string_view program,
    const std::string& path,
    const std::function<base::Result<std::string>(std::string_view text)>& fill);

}  // namespace warren::cli
