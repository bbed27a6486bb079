#include "isolation/recipe_words.hpp"

#include "base/result.hpp"
#include "isolation/child/container_step.hpp"

namespace warren::isolation {

std::string in_quotes(const std::string& text) {
    return '"' + base::printable(text) + '"';
}

std::string quoted_list(const std::vector<std::string>& texts) {
    std::string line;
    for (const auto& text : texts) {
        line += ' ' + in_quotes(text);
    }
    return line;
}

std::string hex(std::uint64_t value) {
    constexpr const char* kDigits = "0123456789abcdef";
    std::string text;
    do {
        text.insert(text.begin(), kDigits[value & 0xf]);
        value >>= 4;
    } while (value != 0);
    return "0x" + text;
}

std::string octal(mode_t value) {
    std::string text;
    for (int shift = 9; shift >= 0; shift -= 3) {
        text += static_cast<char>('0' + ((value >> shift) & 7));
    }
    return text;
}

std::string variable_names(const std::vector<std::string>& env) {
    std::string line;
    for (const auto& text : env) {
        line += ' ' + base::printable(text.substr(0, text.find('=')));
    }
    return line;
}

std::string flag_words(std::uint16_t flags) {
    std::string words;
    words += (flags & child::kDirectory) != 0 ? " directory" : "";
    words += (flags & child::kNoSymlinks) != 0 ? " no-symlinks" : "";
    words += (flags & child::kRecursive) != 0 ? " recursive" : "";
    words += (flags & child::kReplace) != 0 ? " replace" : "";
    words += (flags & child::kTidy) != 0 ? " tidy" : "";
    words += (flags & child::kKeep) != 0 ? " keep" : "";
    words += (flags & child::kNoFollow) != 0 ? " no-follow" : "";
    words += (flags & child::kOptional) != 0 ? " optional" : "";
    return words;
}

std::string slot_word(std::uint32_t slot) {
    return " slot=" + std::to_string(slot);
}

}  // namespace warren::isolation
