#include "cli/oci/reference.hpp"

#include "cli/common/completion.hpp"
#include "cli/common/manual.hpp"
#include "cli/oci/verb.hpp"

namespace warren::cli::oci {

namespace {

std::string man_verbs() {
    std::string text;
    for (const Verb* verb : verbs()) {
        text += man_verb_head(
            "warren-oci " + std::string(verb->name), verb->usage, verb->summary, verb->text);
        for (const OptionGroup& group : verb->groups) {
            text += group.options.data() == kHelpGroup.options.data() ? "" : man_options(group);
        }
        text += man_example(verb->example);
    }
    return text;
}

std::string verb_words() {
    std::string text;
    for (const Verb* verb : verbs()) {
        text += (text.empty() ? "" : " ") + std::string(verb->name);
    }
    return text;
}

CompletionTables tables() {
    const auto kind = [](Hint hint) {
        return hint == Hint::Verb ? CompletionKind{"words", verb_words()} : common_kind(hint);
    };
    CompletionTables all{"_warren_oci", {{"", "", {kGlobalGroup}, Hint::None, 0, false}}, kind};
    for (const Verb* verb : verbs()) {
        all.entries.push_back({std::string(verb->name),
                               std::string(verb->summary),
                               {verb->groups.begin(), verb->groups.end()},
                               verb->hint,
                               verb->operands.max,
                               verb->operands.first_ends_options});
    }
    return all;
}

std::string bash_tables() {
    return "_warren_oci_verbs=" + shell_quoted(verb_words()) + "\n" + bash_functions(tables());
}

std::string zsh_tables() {
    std::string text = "_warren_oci_set_verbs() {\n    verbs=(\n";
    for (const Verb* verb : verbs()) {
        const std::string word = std::string(verb->name) + ":" + std::string(verb->summary);
        text += "        " + shell_quoted(word) + "\n";
    }
    return text + "    )\n}\n" + zsh_specs(tables());
}

base::Result<std::string> fill(std::string_view word) {
    if (word == "VERSION_TITLE") {
        return std::string(".TH WARREN\\-OCI 8 \"\" \"warren " WARREN_VERSION
                           "\" \"System Administration\"\n");
    }
    if (word == "GLOBAL_OPTIONS") {
        return man_options(kGlobalGroup);
    }
    if (word == "VERBS") {
        return man_verbs();
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

}  // namespace warren::cli::oci
