// A verb of warren-oci: its options, its help and its handler. One file a verb; verbs.cpp lists them all.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/common/arguments.hpp"
#include "cli/common/option.hpp"
#include "cli/oci/app.hpp"

namespace warren::cli::oci {

// Does the verb and gives the exit code.
using Handler = base::Result<int> (*)(App& app, const Arguments& arguments);

struct Verb {
    std::string_view name;
    std::string_view usage;    // what follows the name
    std::string_view summary;  // for the overview: lower case, no full stop
    std::string_view text;     // for its own help: paragraphs divided by an empty line
    std::string_view example;  // command lines
    OptionGroups groups;
    Operands operands;
    Hint hint = Hint::None;  // what its operand is
    Handler handler = nullptr;
    int failed = 1;  // its exit code when the engine fails; a wrong command line is always 1
};

// In the order of the overview.
[[nodiscard]] std::span<const Verb* const> verbs();
[[nodiscard]] const Verb* find_verb(std::string_view name);

// Every verb has -h beside --help.
extern const OptionGroup kHelpGroup;
// One container.
inline constexpr Operands kOneContainer{"ID", 1, 1, false, false, true};

// Global options, a verb, and all that belongs to them; the exit code. Prints every error, and logs it.
[[nodiscard]] int run_program(const std::vector<std::string>& words,
                              Console& console,
                              const std::string& here);

// Everything after this is one verb a file.
extern const Verb kCreate, kStart, kRun, kExec, kKill, kDelete;
extern const Verb kState, kList, kPs, kEvents;
extern const Verb kPause, kResume, kUpdate, kCheckpoint, kRestore;
extern const Verb kSpec, kFeatures, kHelp;

}  // namespace warren::cli::oci
