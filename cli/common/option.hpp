// What a program's options are, as tables: parsing, help, the man page and the completions are all made from them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace warren::cli {

// What a shell offers for a value or an operand.
enum class Hint : std::uint8_t {
    None,
    Guest,
    Image,
    File,
    Directory,
    Template,
    Signal,
    Column,
    Verb
};

struct Option {
    std::string_view name;   // "memory": typed --memory
    char letter = 0;         // 'u': typed -u; 0: none
    std::string_view value;  // "SIZE", "auto|host"; empty: a flag. Words in lower case are literal
    std::string_view text;   // one line of help
    bool repeats = false;    // may be given more than once
    Hint hint = Hint::None;
};

// Options that stand below one heading of the help.
struct OptionGroup {
    std::string_view title;
    std::span<const Option> options;
};

using OptionGroups = std::span<const OptionGroup>;

// Null when there is none.
[[nodiscard]] const Option* find_option(OptionGroups groups, std::string_view name);
[[nodiscard]] const Option* find_letter(OptionGroups groups, char letter);

// "FILE|unconfined" -> {"unconfined"}: the words a value may literally be.
[[nodiscard]] std::vector<std::string_view> literal_words(std::string_view value);

// "-u, --user USER" or "    --memory SIZE".
[[nodiscard]] std::string option_heading(const Option& option);

// Its text, with a word on whether it may be repeated.
[[nodiscard]] std::string option_text(const Option& option);

// The options with their texts, one block a group, for --help.
[[nodiscard]] std::string option_help(OptionGroups groups);

// `text` broken at blanks into lines of at most `width` bytes, each led by `indent` blanks.
[[nodiscard]] std::string wrap(std::string_view text, std::size_t width, std::size_t indent);

// Parts of a text that empty lines divide.
[[nodiscard]] std::vector<std::string_view> paragraphs(std::string_view text);

}  // namespace warren::cli
