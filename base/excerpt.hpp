// Names that come from outside (archives, JSON, guests' files), as an error line shows them: a name
// may be thousands of bytes long, and a line that nobody can read names nothing.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace warren::base {

constexpr std::size_t kExcerptBytes = 200;

// printable() of the first `bytes` bytes of `text`; what is longer says how much was left out:
// "start of it... (4800 bytes more)". A character of UTF-8 is not cut in two.
[[nodiscard]] std::string excerpt(std::string_view text, std::size_t bytes = kExcerptBytes);

}  // namespace warren::base
