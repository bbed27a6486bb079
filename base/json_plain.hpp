// Reading plain JSON quickly: ASCII text, integers, no \u escapes. That is what our own records and most configs are.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/json.hpp"

namespace warren::base {

// The value, as the library would build it. Nothing when the text is not plain: larger numbers, other bytes, a key twice,
// nested deeper than `max_depth`, or no JSON at all; what it is then, and what is wrong with it, is the library's to say.
[[nodiscard]] std::optional<Json> parse_plain_json(std::string_view text, std::size_t max_depth);

}  // namespace warren::base
