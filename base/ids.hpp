// Names that become path components. A checked type is the only way from user input to a path.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace warren::base {

// A guest's or image's name: 1 to 63 bytes; starts with a letter or digit; then letters, digits,
// '.', '_', '-' (an image also ':', so that "debian:12" is a name). Never ".." or a path. A value.
class Name {
public:
    [[nodiscard]] static Result<Name> parse_guest(std::string_view text);
    [[nodiscard]] static Result<Name> parse_image(std::string_view text);

    [[nodiscard]] const std::string& str() const { return text_; }

    // clang-tidy 14 takes the defaulted comparison for a null pointer.
    auto operator<=>(const Name&) const = default;  // NOLINT(modernize-use-nullptr)

private:
    explicit Name(std::string text) : text_(std::move(text)) {}

    std::string text_;
};

}  // namespace warren::base
