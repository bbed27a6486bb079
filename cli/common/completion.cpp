#include "cli/common/completion.hpp"

namespace warren::cli {

namespace {

CompletionKind kind_of(const CompletionTables& tables, const Option& option) {
    std::string words;
    for (const std::string_view word : literal_words(option.value)) {
        words += (words.empty() ? "" : " ") + std::string(word);
    }
    return option.hint == Hint::None && !words.empty() ? CompletionKind{"words", words}
                                                       : tables.kind(option.hint);
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

std::string kind_text(const CompletionKind& kind) {
    return kind.name + (kind.words.empty() ? "" : " " + kind.words);
}

// "--memory", and "-m" if there is a letter.
std::vector<std::string> spellings(const Option& option) {
    std::vector<std::string> words{"--" + std::string(option.name)};
    if (option.letter != 0) {
        words.push_back(std::string("-") + option.letter);
    }
    return words;
}

// What may stand behind the option; nothing for one without a value.
std::string bash_value(const CompletionTables& tables,
                       const CompletionEntry& entry,
                       const Option& option,
                       const std::string& spelling) {
    if (option.value.empty()) {
        return {};
    }
    return bash_case(entry.name + " " + spelling, kind_text(kind_of(tables, option)));
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

std::string zsh_action(const std::string& prefix, const CompletionKind& kind) {
    if (kind.name == "guest") {
        return prefix + "_guests";
    }
    if (kind.name == "image") {
        return prefix + "_images";
    }
    if (kind.name == "file") {
        return "_files";
    }
    if (kind.name == "directory") {
        return "_files -/";
    }
    return kind.name == "words" ? "(" + zsh_text(kind.words) + ")" : " ";
}

std::string zsh_spec(const CompletionTables& tables,
                     const std::string& dashed,
                     const Option& option) {
    std::string spec = (option.repeats ? "*" : "") + dashed;
    spec += (dashed.starts_with("--") && !option.value.empty() ? "=" : "");
    spec += "[" + zsh_text(option.text) + "]";
    if (!option.value.empty()) {
        spec +=
            ":" + zsh_text(option.value) + ":" + zsh_action(tables.prefix, kind_of(tables, option));
    }
    return "        " + shell_quoted(spec) + "\n";
}

// Without a spec for its operands a verb's options would not be offered behind them.
std::string zsh_operand(const CompletionTables& tables, const CompletionEntry& entry) {
    const std::string last = "        " + shell_quoted("*:::command:_normal") + "\n";
    if (entry.operands == 0) {
        return entry.command ? last : "";
    }
    const CompletionKind kind = tables.kind(entry.operand);
    const std::string what = kind.name == "none" ? "name" : kind.name;
    const std::string spec =
        (entry.operands == 1 ? "1:" : "*:") + what + ":" + zsh_action(tables.prefix, kind);
    return "        " + shell_quoted(spec) + "\n" + (entry.command ? last : "");
}

}  // namespace

CompletionKind common_kind(Hint hint) {
    switch (hint) {
        case Hint::Guest:
            return {"guest", ""};
        case Hint::Image:
            return {"image", ""};
        case Hint::File:
            return {"file", ""};
        case Hint::Directory:
            return {"directory", ""};
        case Hint::Signal:
            return {"words", std::string(kOfferedSignals)};
        case Hint::Template:
        case Hint::Column:
        case Hint::Verb:
        case Hint::None:
            break;
    }
    return {"none", ""};
}

std::string shell_quoted(std::string_view text) {
    std::string result = "'";
    for (const char c : text) {
        result += c == '\'' ? "'\\''" : std::string(1, c);
    }
    return result + "'";
}

std::string bash_functions(const CompletionTables& tables) {
    std::string options;
    std::string values;
    std::string operands;
    for (const CompletionEntry& entry : tables.entries) {
        std::string words = "--help";
        for (const OptionGroup& group : entry.groups) {
            for (const Option& option : group.options) {
                for (const std::string& spelling : spellings(option)) {
                    words += spelling == "--help" ? "" : " " + spelling;
                    values += bash_value(tables, entry, option, spelling);
                }
            }
        }
        options += bash_case(entry.name, words);
        operands += bash_case(entry.name, kind_text(tables.kind(entry.operand)));
    }
    return bash_function(tables.prefix + "_options", options, "") +
           bash_function(tables.prefix + "_value", values, "") +
           bash_function(tables.prefix + "_operand", operands, "none");
}

std::string zsh_specs(const CompletionTables& tables) {
    std::string text = tables.prefix + "_specs() {\n    case \"$1\" in\n";
    for (const CompletionEntry& entry : tables.entries) {
        text += "    " + shell_quoted(entry.name) + ") specs=(\n";
        text += find_option(entry.groups, "help") == nullptr ? "        '--help[its help]'\n" : "";
        for (const OptionGroup& group : entry.groups) {
            for (const Option& option : group.options) {
                for (const std::string& spelling : spellings(option)) {
                    text += zsh_spec(tables, spelling, option);
                }
            }
        }
        text += zsh_operand(tables, entry) + "    ) ;;\n";
    }
    return text + "    esac\n}\n";
}

}  // namespace warren::cli
