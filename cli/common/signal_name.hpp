// Signals as people type them.
#pragma once

#include <string_view>

#include "base/result.hpp"

namespace warren::cli {

// "9", "KILL", "SIGKILL", "kill", "RTMIN+3", "SIGRTMAX-1" -> the number, 1 to 64. Signal 0 is none.
[[nodiscard]] base::Result<int> parse_signal(std::string_view text);

}  // namespace warren::cli
