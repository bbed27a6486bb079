#include "cli/vps/reference.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "cli/vps/completion_tables.hpp"
#include "cli/vps/guest_columns.hpp"
#include "cli/vps/help.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

bool has(const std::vector<OptionGroup>& groups, const OptionGroup& group) {
    return std::any_of(groups.begin(), groups.end(), [&](const OptionGroup& other) {
        return other.options.data() == group.options.data();
    });
}

// Groups of several options that several verbs take: the man page has them once.
std::vector<OptionGroup> shared_groups() {
    std::vector<OptionGroup> seen;
    std::vector<OptionGroup> shared;
    for (const VerbGroup& verbs : verb_groups()) {
        for (const Verb* verb : verbs.verbs) {
            for (const OptionGroup& group : verb->groups) {
                if (has(seen, group) && !has(shared, group) && group.options.size() > 2) {
                    shared.push_back(group);
                }
                seen.push_back(group);
            }
        }
    }
    return shared;
}

std::string first_word(std::string_view text) {
    return std::string(text.substr(0, text.find(" (")));
}

// Text of roff: minus signs that can be copied, no line that begins with a control character.
std::string roff(std::string_view text) {
    std::string result;
    bool line_starts = true;
    for (const char c : text) {
        if (line_starts && (c == '.' || c == '\'')) {
            result += "\\&";
        }
        line_starts = c == '\n';
        if (c == '\\') {
            result += "\\e";
        } else if (c == '-') {
            result += "\\-";
        } else {
            result += c;
        }
    }
    return result;
}

std::string roff_quoted(std::string_view text) {
    std::string result = "\"";
    for (const char c : roff(text)) {
        result += c == '"' ? "\\(dq" : std::string(1, c);
    }
    return result + "\"";
}

std::string man_options(const OptionGroup& group) {
    std::string text;
    for (const Option& option : group.options) {
        const std::string value = option.value.empty() ? "" : " \\fI" + roff(option.value) + "\\fR";
        const std::string letter =
            option.letter == 0 ? "" : std::string("\\fB\\-") + option.letter + "\\fR, ";
        text += ".TP\n" + letter + "\\fB\\-\\-" + roff(option.name) + "\\fR" + value + "\n";
        text += roff(option_text(option)) + "\n";
    }
    return text;
}

std::string man_columns() {
    std::string text = ".PP\nColumns:\n";
    for (const GuestColumn& column : guest_columns()) {
        text += ".TP\n.B " + roff(column.title) + "\n" + roff(column.text) + "\n";
    }
    return text;
}

std::string man_verb(const Verb& verb) {
    std::string text =
        ".SS " + roff_quoted("warren " + std::string(verb.name) + " " + std::string(verb.usage)) +
        "\n";
    std::string summary(verb.summary);
    summary.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(summary.front())));
    text += roff(summary) + ".\n";
    for (const std::string_view paragraph : paragraphs(verb.text)) {
        text += ".PP\n" + roff(paragraph) + "\n";
    }
    const std::vector<OptionGroup> shared = shared_groups();
    std::string elsewhere;
    for (const OptionGroup& group : verb.groups) {
        if (has(shared, group)) {
            elsewhere += (elsewhere.empty() ? "" : ", ") + first_word(group.title);
        } else {
            text += man_options(group);
        }
    }
    if (!elsewhere.empty()) {
        text += ".PP\nMore options, below: " + roff(elsewhere) + ".\n";
    }
    text += takes_columns(verb) ? man_columns() : "";
    text += ".PP\n.nf\n.RS\n" + roff(verb.example) + "\n.RE\n.fi\n";
    return text;
}

std::string man_verbs() {
    std::string text;
    for (const VerbGroup& group : verb_groups()) {
        for (const Verb* verb : group.verbs) {
            text += man_verb(*verb);
        }
    }
    return text;
}

std::string man_shared() {
    std::string text;
    for (const OptionGroup& group : shared_groups()) {
        text += ".SS " + roff_quoted(group.title) + "\n" + man_options(group);
    }
    return text;
}

base::Result<std::string> fill(std::string_view word) {
    if (word == "VERSION_TITLE") {
        return std::string(".TH WARREN 1 \"\" \"warren " WARREN_VERSION "\" \"User Commands\"\n");
    }
    if (word == "GLOBAL_OPTIONS") {
        return man_options(kGlobalGroup);
    }
    if (word == "VERBS") {
        return man_verbs();
    }
    if (word == "SHARED_OPTIONS") {
        return man_shared();
    }
    if (word == "BASH_TABLES") {
        return bash_tables();
    }
    if (word == "ZSH_TABLES") {
        return zsh_tables();
    }
    return base::usage_error("unknown word '" + std::string(word) + "'");
}

}  // namespace

base::Result<std::string> fill_reference(std::string_view text) {
    constexpr std::string_view kMark = "@@";
    std::string result;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.size() > 2 * kMark.size() && line.starts_with(kMark) && line.ends_with(kMark)) {
            result += TRY(fill(line.substr(kMark.size(), line.size() - 2 * kMark.size())));
        } else {
            result += std::string(line) + "\n";
        }
    }
    return result;
}

}  // namespace warren::cli
