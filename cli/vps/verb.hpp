// A verb of warren: its options, its help and its handler. One file a verb; verbs.cpp lists them all.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/common/arguments.hpp"
#include "cli/common/option.hpp"
#include "cli/vps/app.hpp"

namespace warren::cli {

// Does the verb and gives the exit code. An error is printed by the caller as "warren: VERB SUBJECT: text".
using Handler = base::Result<int> (*)(App& app, const Arguments& arguments);

// Whose exit status the verb gives: see exit_code.hpp.
enum class Exit : std::uint8_t { Ours, Commands };

struct Verb {
    std::string_view name;     // "create", "image build"
    std::string_view usage;    // what follows the name: "NAME --image IMG [OPTION...]"
    std::string_view summary;  // for the overview: lower case, no full stop
    std::string_view text;     // for its own help: paragraphs divided by an empty line
    std::string_view example;  // command lines
    OptionGroups groups;
    Operands operands;
    Hint hint = Hint::None;  // what its operands are
    Handler handler = nullptr;
    Exit exit = Exit::Ours;
    bool needs_root = true;
    bool can_dry_run = false;
};

// Verbs below one heading of the overview.
struct VerbGroup {
    std::string_view title;
    std::span<const Verb* const> verbs;
};

// The command table.
[[nodiscard]] std::span<const VerbGroup> verb_groups();
[[nodiscard]] const Verb* find_verb(std::string_view name);

struct FoundVerb {
    const Verb* verb = nullptr;
    std::vector<std::string> words;  // what follows its name
};

// "image" takes a second word. An unknown verb is a usage error that names it.
[[nodiscard]] base::Result<FoundVerb> take_verb(const std::vector<std::string>& words);
// The words that may follow "image": for help and errors.
[[nodiscard]] std::vector<std::string_view> image_verbs();

// Global options, a verb, and all that belongs to them; the exit code. Prints every error.
[[nodiscard]] int run_program(const std::vector<std::string>& words,
                              Console& console,
                              const Environment& environment,
                              const std::string& here,
                              bool is_root);

// Everything after this is one verb a file.
extern const Verb kImageBuild, kImageImport, kImageList, kImageInspect, kImageRm, kImageVerify;
extern const Verb kCreate, kStart, kRun, kExec, kEnter, kStop, kRestart, kKill, kPause, kResume,
    kSet, kDestroy;
extern const Verb kList, kInspect, kStats, kTop, kLogs, kDoctor;
extern const Verb kHelp, kVersion;

}  // namespace warren::cli
