#include "cli/oci/help.hpp"

#include <algorithm>
#include <array>

#include "cli/common/exit_code.hpp"

namespace warren::cli::oci {

namespace {

constexpr std::size_t kWidth = 96;
constexpr std::size_t kSummaryColumn = 16;

std::string verb_line(const Verb& verb) {
    std::string line = "  " + std::string(verb.name);
    line.resize(std::max(line.size() + 1, kSummaryColumn), ' ');
    return line + std::string(verb.summary) + "\n";
}

std::string indented(std::string_view lines) {
    std::string text = "  ";
    for (const char c : lines) {
        text += c;
        text += c == '\n' ? "  " : "";
    }
    return text + "\n";
}

base::Result<int> help(App& app, const Arguments& arguments) {
    const std::vector<std::string>& words = arguments.operands();
    if (words.empty()) {
        app.console.print(overview_help());
        return kExitDone;
    }
    const Verb* verb = find_verb(words.front());
    if (verb == nullptr) {
        return base::usage_error("unknown verb '" + words.front() + "'");
    }
    app.console.print(verb_help(*verb));
    return kExitDone;
}

const std::array kHelpGroups{kHelpGroup};

}  // namespace

std::string overview_help() {
    std::string text =
        "warren-oci: containers of the Open Container Initiative, for engines and by hand\n\n"
        "Usage: warren-oci [GLOBAL OPTION...] VERB [OPTION...] [ARGUMENT...]\n\nVerbs:\n";
    for (const Verb* verb : verbs()) {
        text += verb_line(*verb);
    }
    text += option_help(std::array{kGlobalGroup});
    return text + "\nEvery verb has its own: warren-oci VERB --help\n";
}

std::string verb_help(const Verb& verb) {
    const std::string name = "warren-oci " + std::string(verb.name);
    std::string text = name + ": " + std::string(verb.summary) + "\n\nUsage: " + name;
    text += (verb.usage.empty() ? "" : " ") + std::string(verb.usage) + "\n";
    for (const std::string_view paragraph : paragraphs(verb.text)) {
        text += "\n" + wrap(paragraph, kWidth, 0);
    }
    return text + option_help(verb.groups) + "\nExample:\n" + indented(verb.example);
}

const Verb kHelp{
    .name = "help",
    .usage = "[VERB]",
    .summary = "this overview, or a verb's own help",
    .text = "",
    .example = "warren-oci help create",
    .groups = kHelpGroups,
    .operands = {"VERB", 0, 1, false, false, true},
    .hint = Hint::Verb,
    .handler = help,
};

}  // namespace warren::cli::oci
