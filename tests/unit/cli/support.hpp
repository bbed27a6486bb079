// What the tests of the command line share.
#pragma once

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cli/common/arguments.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli::test {

using Words = std::vector<std::string>;

// "a b c" as words.
inline Words words_of(const std::string& line) {
    Words words;
    std::string word;
    for (const char c : line + " ") {
        if (c != ' ') {
            word += c;
        } else if (!word.empty()) {
            words.push_back(std::move(word));
            word.clear();
        }
    }
    return words;
}

// The words behind a verb, taken apart by the verb's own tables.
inline base::Result<Arguments> parse_verb(std::string_view verb, const Words& words) {
    const Verb* found = find_verb(verb);
    REQUIRE(found != nullptr);
    return Arguments::parse(found->groups, found->operands, words);
}

inline base::Result<Arguments> parse_verb(std::string_view verb, const std::string& line) {
    return parse_verb(verb, words_of(line));
}

// A usage error of one line that has all of `parts` in it.
template <typename T>
void check_usage(const base::Result<T>& result, const Words& parts) {
    const std::string wanted = parts.empty() ? "" : parts.front();
    INFO(wanted);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().kind() == base::ErrorKind::Usage);
    const std::string text = result.error().describe();
    CHECK(text.find('\n') == std::string::npos);
    for (const std::string& part : parts) {
        INFO(text);
        CHECK(text.find(part) != std::string::npos);
    }
}

}  // namespace warren::cli::test
