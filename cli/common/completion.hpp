// Tables for shell completion, made from the tables of verbs and options. The scripts around them are templates.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/common/option.hpp"

namespace warren::cli {

// What a shell offers in a place.
struct CompletionKind {
    std::string name;   // guest, image, file, directory, words, none
    std::string words;  // of "words"
};

// What a verb takes. The one without a name has the global options.
struct CompletionEntry {
    std::string name;
    std::string summary;
    std::vector<OptionGroup> groups;
    Hint operand = Hint::None;
    std::size_t operands = 0;
    bool command = false;  // at the end stands a command
};

struct CompletionTables {
    std::string prefix;  // of the shell's functions: "_warren"
    std::vector<CompletionEntry> entries;
    std::function<CompletionKind(Hint)> kind;  // how the program's own hints are offered
};

// The signals that are offered.
inline constexpr std::string_view kOfferedSignals =
    "HUP INT QUIT KILL USR1 USR2 TERM CONT STOP WINCH PWR RTMIN+3 RTMIN+4";

// "guest" and the like for hints that mean the same in every program; "none" for the others.
[[nodiscard]] CompletionKind common_kind(Hint hint);

[[nodiscard]] std::string shell_quoted(std::string_view text);

// PREFIX_options VERB, PREFIX_value "VERB OPTION", PREFIX_operand VERB.
[[nodiscard]] std::string bash_functions(const CompletionTables& tables);
// PREFIX_specs VERB sets specs. Actions are PREFIX_guests and PREFIX_images.
[[nodiscard]] std::string zsh_specs(const CompletionTables& tables);

}  // namespace warren::cli
