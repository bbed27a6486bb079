#include "cli/vps/reference.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "cli/common/manual.hpp"
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

std::string man_columns() {
    std::string text = ".PP\nColumns:\n";
    for (const GuestColumn& column : guest_columns()) {
        text += ".TP\n.B " + roff(column.title) + "\n" + roff(column.text) + "\n";
    }
    return text;
}

std::string man_verb(const Verb& verb) {
    std::string text =
        man_verb_head("warren " + std::string(verb.name), verb.usage, verb.summary, verb.text);
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
    return text + man_example(verb.example);
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
    return fill_template(text, fill);
}

}  // namespace warren::cli
