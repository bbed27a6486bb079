// Words in JSON that stand for the values of an enum: one table for reading and writing.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace warren::base {

template <typename E>
struct Word {
    std::string_view text;
    E value;
};

template <typename E, std::size_t N>
using Words = std::array<Word<E>, N>;

// Empty for a value that is not in the table.
template <typename E, std::size_t N>
[[nodiscard]] std::string word_of(const Words<E, N>& words, E value) {
    for (const auto& word : words) {
        if (word.value == value) {
            return std::string(word.text);
        }
    }
    return "";
}

// The word's value. Another word is a usage error with `place`, which names the words if they are few.
template <typename E, std::size_t N>
[[nodiscard]] Result<E> value_of(const Words<E, N>& words,
                                 const std::string& text,
                                 std::string place) {
    constexpr std::size_t kFew = 8;
    for (const auto& word : words) {
        if (word.text == text) {
            return word.value;
        }
    }
    std::string expected;
    for (const auto& word : words) {
        expected += (expected.empty() ? "" : " or ") + std::string(word.text);
    }
    auto what = N > kFew ? "unknown word \"" + text + "\""
                         : "expected " + expected + ", found \"" + text + "\"";
    return usage_error(std::move(what)).with_place(std::move(place));
}

// A required member.
template <typename E, std::size_t N>
[[nodiscard]] Result<E> read_word(const JsonReader& reader,
                                  const char* key,
                                  const Words<E, N>& words) {
    return value_of(words, TRY(reader.string(key)), reader.pointer() + "/" + key);
}

// `otherwise` when it is absent or null.
template <typename E, std::size_t N>
[[nodiscard]] Result<E> read_word_or(const JsonReader& reader,
                                     const char* key,
                                     const Words<E, N>& words,
                                     E otherwise) {
    if (!reader.has(key)) {
        return otherwise;
    }
    return read_word(reader, key, words);
}

}  // namespace warren::base
