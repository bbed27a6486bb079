#include "cli/common/signal_name.hpp"

#include <algorithm>
#include <cctype>
#include <string>

#include <signal.h>
#include <string.h>

#include "base/units.hpp"

namespace warren::cli {

namespace {

std::string upper(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) {
        return static_cast<char>(std::toupper(c));
    });
    return result;
}

base::Error unknown(std::string_view text) {
    return base::usage_error("unknown signal '" + std::string(text) + "'");
}

// `name` is RTMIN, RTMAX, RTMIN+N or RTMAX-N.
base::Result<int> parse_realtime(std::string_view name, std::string_view text) {
    const bool from_first = name.starts_with("RTMIN");
    const int base_number = from_first ? SIGRTMIN : SIGRTMAX;
    std::string_view rest = name.substr(5);
    if (rest.empty()) {
        return base_number;
    }
    if (rest.front() != (from_first ? '+' : '-')) {
        return unknown(text);
    }
    rest.remove_prefix(1);
    const auto span = static_cast<std::uint64_t>(SIGRTMAX - SIGRTMIN);
    const base::Result<std::uint64_t> step = base::parse_uint(rest, 0, span);
    if (!step) {
        return unknown(text);
    }
    const int offset = static_cast<int>(step.value());
    return from_first ? base_number + offset : base_number - offset;
}

}  // namespace

base::Result<int> parse_signal(std::string_view text) {
    if (!text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) != 0) {
        const auto number = base::parse_uint(text, 1, static_cast<std::uint64_t>(SIGRTMAX));
        return number ? base::Result<int>(static_cast<int>(number.value())) : unknown(text);
    }
    std::string name = upper(text);
    if (name.starts_with("SIG")) {
        name.erase(0, 3);
    }
    if (name.starts_with("RTMIN") || name.starts_with("RTMAX")) {
        return parse_realtime(name, text);
    }
    for (int number = 1; number < SIGRTMIN; ++number) {
        const char* known = sigabbrev_np(number);
        if (known != nullptr && name == known) {
            return number;
        }
    }
    return unknown(text);
}

}  // namespace warren::cli
