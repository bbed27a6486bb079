#include "cli/common/option.hpp"

#include <algorithm>
#include <cctype>
#include <string>

namespace warren::cli {

namespace {

constexpr std::size_t kWidth = 96;
constexpr std::size_t kTextColumn = 32;

bool is_literal(std::string_view word) {
    return !word.empty() && std::none_of(word.begin(), word.end(), [](unsigned char c) {
        return std::isupper(c) != 0 || c == ',' || c == '.' || c == ':';
    });
}

std::string help_line(const Option& option) {
    std::string line = "  " + option_heading(option);
    if (line.size() + 2 > kTextColumn) {
        return line + "\n" + wrap(option_text(option), kWidth, kTextColumn);
    }
    const std::string text = wrap(option_text(option), kWidth, kTextColumn);
    line.resize(kTextColumn, ' ');
    return line + text.substr(kTextColumn);
}

}  // namespace

const Option* find_option(OptionGroups groups, std::string_view name) {
    for (const OptionGroup& group : groups) {
        for (const Option& option : group.options) {
            if (option.name == name) {
                return &option;
            }
        }
    }
    return nullptr;
}

const Option* find_letter(OptionGroups groups, char letter) {
    for (const OptionGroup& group : groups) {
        for (const Option& option : group.options) {
            if (letter != 0 && option.letter == letter) {
                return &option;
            }
        }
    }
    return nullptr;
}

std::vector<std::string_view> literal_words(std::string_view value) {
    std::vector<std::string_view> words;
    if (value.find('|') == std::string_view::npos) {
        return words;
    }
    while (!value.empty()) {
        const std::size_t bar = value.find('|');
        const std::string_view word = value.substr(0, bar);
        if (is_literal(word)) {
            words.push_back(word);
        }
        value = bar == std::string_view::npos ? std::string_view() : value.substr(bar + 1);
    }
    return words;
}

std::string option_heading(const Option& option) {
    std::string text = option.letter != 0 ? std::string("-") + option.letter + ", " : "    ";
    text += "--" + std::string(option.name);
    if (!option.value.empty()) {
        text += " " + std::string(option.value);
    }
    return text;
}

std::string option_text(const Option& option) {
    return std::string(option.text) + (option.repeats ? " (repeatable)" : "");
}

std::string option_help(OptionGroups groups) {
    std::string text;
    for (const OptionGroup& group : groups) {
        text += "\n" + std::string(group.title) + ":\n";
        for (const Option& option : group.options) {
            text += help_line(option);
        }
    }
    return text;
}

std::string wrap(std::string_view text, std::size_t width, std::size_t indent) {
    const std::string lead(indent, ' ');
    std::string result;
    std::string line;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        const std::string_view word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!line.empty() && indent + line.size() + 1 + word.size() > width) {
            result += lead + line + "\n";
            line.clear();
        }
        line += (line.empty() ? "" : " ") + std::string(word);
    }
    return result + lead + line + "\n";
}

std::vector<std::string_view> paragraphs(std::string_view text) {
    std::vector<std::string_view> result;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find("\n\n"), text.size());
        result.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 2, text.size()));
    }
    return result;
}

}  // namespace warren::cli
