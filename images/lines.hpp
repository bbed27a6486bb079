// The lines of a program's output, each without its newline.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

namespace warren::images {

template <typename F>
void for_each_line(const std::string& text, const F& call) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        call(text.substr(at, end - at));
        at = end + 1;
    }
}

}  // namespace warren::images
