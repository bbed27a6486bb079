// What the tests of warren-oci's command line share.
#pragma once

#include <string>
#include <vector>

#include <fcntl.h>
#include <stdlib.h>

#include <doctest/doctest.h>

#include "base/fd.hpp"
#include "cli/oci/verb.hpp"
#include "tests/unit/cli/output.hpp"

namespace warren::cli::oci::test {

using Words = std::vector<std::string>;
using cli::test::Output;

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
inline base::Result<Arguments> parse_words(std::string_view verb, const Words& words) {
    const Verb* found = find_verb(verb);
    REQUIRE(found != nullptr);
    return Arguments::parse(found->groups, found->operands, words);
}

inline Arguments arguments(std::string_view verb, const std::string& line) {
    auto parsed = parse_words(verb, words_of(line));
    REQUIRE_MESSAGE(parsed.has_value(), parsed.error().describe());
    return std::move(parsed).value();
}

// A usage error of one line that has all of `parts` in it.
template <typename T>
void check_usage(const base::Result<T>& result, const Words& parts) {
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().kind() == base::ErrorKind::Usage);
    const std::string text = result.error().describe();
    INFO(text);
    CHECK(text.find('\n') == std::string::npos);
    for (const std::string& part : parts) {
        CHECK(text.find(part) != std::string::npos);
    }
}

// A directory that goes with the test.
class Directory {
public:
    Directory() { REQUIRE(::mkdtemp(path_.data()) != nullptr); }

    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    Directory(Directory&&) = delete;
    Directory& operator=(Directory&&) = delete;

    ~Directory() { (void)base::remove_tree_at(AT_FDCWD, path_); }

    [[nodiscard]] const std::string& path() const { return path_; }

    [[nodiscard]] std::string read(const std::string& name) const {
        return base::read_file_at(AT_FDCWD, path_ + "/" + name).value();
    }

private:
    std::string path_ = "/tmp/warren-oci-cli-XXXXXX";
};

struct Ran {
    int code = 0;
    std::string out;
    std::string err;
};

inline Ran run_words(const Words& words) {
    const Output output;
    Console console("warren-oci", output.settings());
    const int code = run_program(words, console, "/");
    return {code, output.out(), output.err()};
}

inline Ran run_line(const std::string& line) {
    return run_words(words_of(line));
}

}  // namespace warren::cli::oci::test
