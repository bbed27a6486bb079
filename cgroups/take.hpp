// How the kernel's text files are taken apart.
#pragma once

#include <algorithm>
#include <string_view>

namespace warren::cgroups {

// Takes the text up to the separator off the front; all of it where there is none.
inline std::string_view take(std::string_view& text, char separator) {
    const auto end = std::min(text.find(separator), text.size());
    const auto piece = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return piece;
}

}  // namespace warren::cgroups
