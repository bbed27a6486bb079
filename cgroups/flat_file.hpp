// The "flat keyed" files of cgroup v2: one "KEY VALUE" a line.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/units.hpp"

namespace warren::cgroups {

// Calls `each(key, value)` for every line that is a word and a number.
template <typename F>
void for_each_pair(std::string_view text, F each) {
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const auto blank = line.find(' ');
        if (blank == std::string_view::npos) {
            continue;
        }
        const auto value = base::parse_uint(line.substr(blank + 1), 0, UINT64_MAX);
        if (value) {
            each(line.substr(0, blank), value.value());
        }
    }
}

}  // namespace warren::cgroups
