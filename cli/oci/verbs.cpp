// The command table.
#include <algorithm>
#include <array>

#include "cli/oci/verb.hpp"

namespace warren::cli::oci {

namespace {

constexpr std::array kVerbs{&kCreate,
                            &kStart,
                            &kRun,
                            &kExec,
                            &kKill,
                            &kDelete,
                            &kState,
                            &kList,
                            &kPs,
                            &kEvents,
                            &kPause,
                            &kResume,
                            &kUpdate,
                            &kCheckpoint,
                            &kRestore,
                            &kSpec,
                            &kFeatures,
                            &kHelp};

constexpr std::array kHelpOptions{Option{"help", 'h', "", "this text"}};

}  // namespace

const OptionGroup kHelpGroup{"Help", kHelpOptions};

std::span<const Verb* const> verbs() {
    return kVerbs;
}

const Verb* find_verb(std::string_view name) {
    const auto* const found = std::find_if(
        kVerbs.begin(), kVerbs.end(), [name](const Verb* verb) { return verb->name == name; });
    return found == kVerbs.end() ? nullptr : *found;
}

}  // namespace warren::cli::oci
