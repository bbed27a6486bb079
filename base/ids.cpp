#include "base/ids.hpp"

#include <algorithm>

namespace warren::base {

namespace {

constexpr std::size_t kMaxLength = 63;

// Not isalnum(3): that asks the locale.
bool is_alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool fits(std::string_view text, std::string_view punctuation) {
    return !text.empty() && text.size() <= kMaxLength && is_alnum(text.front()) &&
           std::all_of(text.begin(), text.end(), [punctuation](char c) {
               return is_alnum(c) || punctuation.find(c) != std::string_view::npos;
           });
}

Error refuse(std::string_view kind, std::string_view text, std::string_view marks) {
    const auto shown =
        std::string(text.substr(0, kMaxLength)) + (text.size() > kMaxLength ? "..." : "");
    return usage_error("invalid " + std::string(kind) + " name \"" + shown +
                       "\": expected 1 to 63 letters, digits, " + std::string(marks) +
                       ", starting with a letter or digit");
}

}  // namespace

Result<Name> Name::parse_guest(std::string_view text) {
    if (!fits(text, "._-")) {
        return refuse("guest", text, "'.', '_' or '-'");
    }
    return Name(std::string(text));
}

Result<Name> Name::parse_image(std::string_view text) {
    if (!fits(text, "._-:")) {
        return refuse("image", text, "'.', '_', '-' or ':'");
    }
    return Name(std::string(text));
}

}  // namespace warren::base
