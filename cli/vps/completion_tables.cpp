#include "cli/vps/completion_tables.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <vector>

#include "cli/common/completion.hpp"
#include "cli/vps/guest_columns.hpp"
#include "cli/vps/verb.hpp"
#include "images/image.hpp"

namespace warren::cli {

namespace {

std::string join(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) {
        text += (text.empty() ? "" : " ") + word;
    }
    return text;
}

std::string verb_words() {
    std::string text;
    for (const VerbGroup& group : verb_groups()) {
        for (const Verb* verb : group.verbs) {
            if (verb->name.find(' ') == std::string_view::npos) {
                text += std::string(verb->name) + " ";
            }
        }
    }
    return text + "image";
}

std::string column_words() {
    std::string text;
    for (const GuestColumn& column : guest_columns()) {
        text += text.empty() ? "" : " ";
        std::transform(column.title.begin(),
                       column.title.end(),
                       std::back_inserter(text),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    }
    return text;
}

CompletionKind kind_of(Hint hint) {
    switch (hint) {
        case Hint::Template:
            return {"words", join(images::known_templates())};
        case Hint::Column:
            return {"words", column_words()};
        case Hint::Verb:
            return {"words", verb_words()};
        default:
            return common_kind(hint);
    }
}

CompletionTables tables() {
    CompletionTables all{"_warren", {{"", "", {kGlobalGroup}, Hint::None, 0, false}}, kind_of};
    for (const VerbGroup& group : verb_groups()) {
        for (const Verb* verb : group.verbs) {
            all.entries.push_back({std::string(verb->name),
                                   std::string(verb->summary),
                                   {verb->groups.begin(), verb->groups.end()},
                                   verb->hint,
                                   verb->operands.max,
                                   verb->operands.first_ends_options});
        }
    }
    return all;
}

std::string zsh_verbs(bool of_image) {
    constexpr std::string_view kPrefix = "image ";
    std::string lines;
    for (const CompletionEntry& entry : tables().entries) {
        const bool is_image = entry.name.starts_with(kPrefix);
        if (!entry.name.empty() && is_image == of_image) {
            const std::string word = is_image ? entry.name.substr(kPrefix.size()) : entry.name;
            lines += "        " + shell_quoted(word + ":" + entry.summary) + "\n";
        }
    }
    return lines;
}

}  // namespace

std::string bash_tables() {
    std::string image_words;
    for (const std::string_view word : image_verbs()) {
        image_words += (image_words.empty() ? "" : " ") + std::string(word);
    }
    return "_warren_verbs=" + shell_quoted(verb_words()) +
           "\n_warren_image_verbs=" + shell_quoted(image_words) + "\n" + bash_functions(tables());
}

std::string zsh_tables() {
    return "_warren_set_verbs() {\n    verbs=(\n" + zsh_verbs(false) +
           "        'image:work on images'\n    )\n    image_verbs=(\n" + zsh_verbs(true) +
           "    )\n}\n" + zsh_specs(tables());
}

}  // namespace warren::cli
