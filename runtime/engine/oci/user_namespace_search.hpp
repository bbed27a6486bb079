// Whether a config.json may name a user namespace, without parsing it. Answers yes more often than need be, never less.
#pragma once

#include <cstddef>
#include <cstdint>

namespace warren::engine::oci {

// Looks for the word "user" where it is a value. The text may come in pieces. Calls nothing, and is never called: it is used before
// libc is ready, where no other object's copy of it may be run.
class UserNamespaceSearch {
public:
    [[gnu::always_inline]] constexpr void feed(const char* text, std::size_t size) {
        for (std::size_t i = 0; i < size && !found_; ++i) {
            // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): read(2) fills it.
            take(text[i]);
        }
    }

    // After the last piece.
    [[nodiscard, gnu::always_inline]] constexpr bool found() const {
        return found_ || matched_ == kLength;
    }

private:
    static constexpr std::uint8_t kLength = 6;

    [[gnu::always_inline]] constexpr void take(char c) {
        // A word can be spelled in other ways.
        found_ = last_ == '\\' && c == 'u';
        last_ = c;
        if (matched_ == kLength) {
            const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
            found_ = found_ || (!blank && c != ':');
            matched_ = blank ? kLength : 0;
        } else if (c == "\"user\""[matched_]) {
            ++matched_;
        } else {
            matched_ = c == '"' ? 1 : 0;
        }
    }

    std::uint8_t matched_ = 0;
    char last_ = 0;
    bool found_ = false;
};

}  // namespace warren::engine::oci
