#include "cli/vps/completion_tables.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <vector>

#include "cli/vps/guest_columns.hpp"
#include "cli/vps/verb.hpp"
#include "images/image.hpp"

namespace warren::cli {

namespace {

constexpr std::string_view kSignals =
    "HUP INT QUIT KILL USR1 USR2 TERM CONT STOP WINCH PWR RTMIN+3 RTMIN+4";

struct Kind {
    std::string name;   // guest, image, file, directory, words, none
    std::string words;  // of "words"
};

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

Kind kind_of(Hint hint) {
    switch (hint) {
        case Hint::Guest:
            return {"guest", ""};
        case Hint::Image:
            return {"image", ""};
        case Hint::File:
            return {"file", ""};
        case Hint::Directory:
            return {"directory", ""};
        case Hint::Template:
            return {"words", join(images::known_templates())};
        case Hint::Signal:
            return {"words", std::string(kSignals)};
        case Hint::Column:
            return {"words", column_words()};
        case Hint::Verb:
            return {"words", verb_words()};
        case Hint::None:
            break;
    }
    return {"none", ""};
}

Kind kind_of(const Option& option) {
    std::string words;
    for (const std::string_view word : literal_words(option.value)) {
        words += (words.empty() ? "" : " ") + std::string(word);
    }
    return option.hint == Hint::None && !words.empty() ? Kind{"words", words}
                                                       : kind_of(option.hint);
}

// The pseudo-verb "" has the global options.
struct Entry {
    std::string name;
    std::string summary;
    std::vector<OptionGroup> groups;
    Hint operand = Hint::None;
    std::size_t operands = 0;
    bool command = false;  // at the end stands a command
};

std::vector<Entry> entries() {
    std::vector<Entry> all{{"", "", {kGlobalGroup}, Hint::None, 0, false}};
    for (const VerbGroup& group : verb_groups()) {
        for (const Verb* verb : group.verbs) {
            all.push_back({std::string(verb->name),
                           std::string(verb->summary),
                           {verb->groups.begin(), verb->groups.end()},
                           verb->hint,
                           verb->operands.max,
                           verb->operands.first_ends_options});
        }
    }
    return all;
}

std::string shell_quoted(std::string_view text) {
    std::string result = "'";
    for (const char c : text) {
        result += c == '\'' ? "'\\''" : std::string(1, c);
    }
    return result + "'";
}

std::string bash_case(const std::string& pattern, const std::string& words) {
    return "    " + shell_quoted(pattern) + ") echo " + shell_quoted(words) + " ;;\n";
}

std::string bash_function(const std::string& name,
                          const std::string& cases,
                          const std::string& otherwise) {
    const std::string last =
        otherwise.empty() ? "" : "    *) echo " + shell_quoted(otherwise) + " ;;\n";
    return name + "() {\n    case \"$1\" in\n" + cases + last + "    esac\n}\n";
}

std::string kind_text(const Kind& kind) {
    return kind.name + (kind.words.empty() ? "" : " " + kind.words);
}

// zsh's _arguments: ':' divides, brackets enclose the text.
std::string zsh_text(std::string_view text) {
    std::string result;
    for (const char c : text) {
        result += c == ':' || c == '[' || c == ']' || c == '\\' ? std::string("\\") + c
                                                                : std::string(1, c);
    }
    return result;
}

std::string zsh_action(const Kind& kind) {
    if (kind.name == "guest") {
        return "_warren_guests";
    }
    if (kind.name == "image") {
        return "_warren_images";
    }
    if (kind.name == "file") {
        return "_files";
    }
    if (kind.name == "directory") {
        return "_files -/";
    }
    return kind.name == "words" ? "(" + zsh_text(kind.words) + ")" : " ";
}

std::string zsh_spec(const std::string& dashed, const Option& option) {
    std::string spec = (option.repeats ? "*" : "") + dashed;
    spec += (dashed.starts_with("--") && !option.value.empty() ? "=" : "");
    spec += "[" + zsh_text(option.text) + "]";
    if (!option.value.empty()) {
        spec += ":" + zsh_text(option.value) + ":" + zsh_action(kind_of(option));
    }
    return "        " + shell_quoted(spec) + "\n";
}

// Without a spec for its operands a verb's options would not be offered behind them.
std::string zsh_operand(const Entry& entry) {
    const std::string last = "        " + shell_quoted("*:::command:_normal") + "\n";
    if (entry.operands == 0) {
        return entry.command ? last : "";
    }
    const Kind kind = kind_of(entry.operand);
    const std::string what = kind.name == "none" ? "name" : kind.name;
    const std::string spec = (entry.operands == 1 ? "1:" : "*:") + what + ":" + zsh_action(kind);
    return "        " + shell_quoted(spec) + "\n" + (entry.command ? last : "");
}

std::string zsh_verbs(bool of_image) {
    constexpr std::string_view kPrefix = "image ";
    std::string lines;
    for (const Entry& entry : entries()) {
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
    std::string options;
    std::string values;
    std::string operands;
    std::string image_words;
    for (const Entry& entry : entries()) {
        std::string words = "--help";
        for (const OptionGroup& group : entry.groups) {
            for (const Option& option : group.options) {
                const std::string dashed = "--" + std::string(option.name);
                const std::string letter =
                    option.letter == 0 ? "" : std::string("-") + option.letter;
                words += option.name == "help" ? "" : " " + dashed;
                words += letter.empty() ? "" : " " + letter;
                if (option.value.empty()) {
                    continue;
                }
                const std::string kind = kind_text(kind_of(option));
                values += bash_case(entry.name + " " + dashed, kind);
                values += letter.empty() ? "" : bash_case(entry.name + " " + letter, kind);
            }
        }
        options += bash_case(entry.name, words);
        operands += bash_case(entry.name, kind_text(kind_of(entry.operand)));
    }
    for (const std::string_view word : image_verbs()) {
        image_words += (image_words.empty() ? "" : " ") + std::string(word);
    }
    return "_warren_verbs=" + shell_quoted(verb_words()) +
           "\n_warren_image_verbs=" + shell_quoted(image_words) + "\n" +
           bash_function("_warren_options", options, "") +
           bash_function("_warren_value", values, "") +
           bash_function("_warren_operand", operands, "none");
}

std::string zsh_tables() {
    std::string text = "_warren_set_verbs() {\n    verbs=(\n" + zsh_verbs(false) +
                       "        'image:work on images'\n    )\n    image_verbs=(\n" +
                       zsh_verbs(true) + "    )\n}\n_warren_specs() {\n    case \"$1\" in\n";
    for (const Entry& entry : entries()) {
        text += "    " + shell_quoted(entry.name) + ") specs=(\n";
        text += find_option(entry.groups, "help") == nullptr ? "        '--help[its help]'\n" : "";
        for (const OptionGroup& group : entry.groups) {
            for (const Option& option : group.options) {
                text += zsh_spec("--" + std::string(option.name), option);
                text +=
                    option.letter == 0 ? "" : zsh_spec(std::string("-") + option.letter, option);
            }
        }
        text += zsh_operand(entry) + "    ) ;;\n";
    }
    return text + "    esac\n}\n";
}

}  // namespace warren::cli
