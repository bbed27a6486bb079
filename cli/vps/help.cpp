#include "cli/vps/help.hpp"

#include <algorithm>
#include <array>

#include "cli/common/exit_code.hpp"
#include "cli/vps/guest_columns.hpp"

namespace warren::cli {

namespace {

constexpr std::size_t kWidth = 96;
constexpr std::size_t kSummaryColumn = 18;

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

std::string columns_help() {
    std::string text = "\nColumns:\n";
    for (const GuestColumn& column : guest_columns()) {
        std::string line = "  " + std::string(column.title);
        line.resize(kSummaryColumn, ' ');
        text += line + std::string(column.text) + "\n";
    }
    return text;
}

base::Result<int> help(App& app, const Arguments& arguments) {
    const std::vector<std::string>& words = arguments.operands();
    if (words.empty()) {
        app.console.print(overview_help());
    } else if (words == std::vector<std::string>{"image"}) {
        app.console.print(image_help());
    } else {
        const FoundVerb found = TRY(take_verb(words));
        if (!found.words.empty()) {
            return base::usage_error("unexpected argument '" + found.words.front() + "'");
        }
        app.console.print(verb_help(*found.verb));
    }
    return kExitDone;
}

}  // namespace

bool takes_columns(const Verb& verb) {
    return find_option(verb.groups, "columns") != nullptr;
}

std::string overview_help() {
    std::string text =
        "warren: guests that are real machines, on one kernel\n\n"
        "Usage: warren [GLOBAL OPTION...] VERB [...]\n";
    for (const VerbGroup& group : verb_groups()) {
        text += "\n" + std::string(group.title) + ":\n";
        for (const Verb* verb : group.verbs) {
            text += verb_line(*verb);
        }
    }
    text += option_help(std::array{kGlobalGroup});
    text += "\nEvery verb has its own: warren help VERB. To begin with: warren doctor\n";
    return text;
}

std::string verb_help(const Verb& verb) {
    std::string text =
        "warren " + std::string(verb.name) + ": " + std::string(verb.summary) + "\n\n";
    text += "Usage: warren " + std::string(verb.name);
    text += (verb.usage.empty() ? "" : " ") + std::string(verb.usage) + "\n";
    for (const std::string_view paragraph : paragraphs(verb.text)) {
        text += "\n" + wrap(paragraph, kWidth, 0);
    }
    text += option_help(verb.groups);
    text += takes_columns(verb) ? columns_help() : "";
    return text + "\nExample:\n" + indented(verb.example);
}

std::string image_help() {
    std::string text =
        "warren image: what guests are made from\n\nUsage: warren image VERB [...]\n\nImages:\n";
    for (const std::string_view word : image_verbs()) {
        const Verb* verb = find_verb("image " + std::string(word));
        text += verb == nullptr ? "" : verb_line(*verb);
    }
    return text + "\nEvery verb has its own: warren image VERB --help\n";
}

const Verb kHelp{
    .name = "help",
    .usage = "[VERB]",
    .summary = "this overview, or a verb's own help",
    .text = "",
    .example =
        "warren help create\n"
        "warren help image build",
    .groups = {},
    .operands = {"VERB", 0, kAnyNumber},
    .hint = Hint::Verb,
    .handler = help,
    .needs_root = false,
};

}  // namespace warren::cli
