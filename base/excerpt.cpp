#include "base/excerpt.hpp"

#include "base/result.hpp"

namespace warren::base {

std::string excerpt(std::string_view text, std::size_t bytes) {
    if (text.size() <= bytes) {
        return printable(text);
    }
    constexpr std::size_t kLongestTail = 3;  // bytes of a character of UTF-8 after its first
    std::size_t end = bytes;
    const auto is_tail = [&](std::size_t at) {
        return (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U;
    };
    while (end > 0 && bytes - end < kLongestTail && is_tail(end)) {
        --end;
    }
    return printable(text.substr(0, end)) + "... (" + std::to_string(text.size() - end) +
           " bytes more)";
}

}  // namespace warren::base
