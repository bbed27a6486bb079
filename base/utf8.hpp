// UTF-8 decoding, strict as in RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace warren::base {

struct Utf8Char {
    bool valid = false;
    char32_t code_point = 0;  // when valid
    std::size_t length = 1;   // bytes taken; 1 when not valid
};

// The first character of `text`, which must not be empty.
[[nodiscard]] constexpr Utf8Char decode_utf8(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    if (lead < 0x80) {
        return {true, lead, 1};
    }
    std::size_t length = 0;
    if (lead >= 0xc2 && lead <= 0xdf) {
        length = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        length = 3;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        length = 4;
    }
    if (length == 0 || text.size() < length) {
        return {};
    }
    char32_t code_point = lead & (0xffU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xc0U) != 0x80U) {
            return {};
        }
        code_point = (code_point << 6U) | (byte & 0x3fU);
    }
    constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
    if (code_point < kSmallest[length] || surrogate || code_point > 0x10ffff) {
        return {};
    }
    return {true, code_point, length};
}

}  // namespace warren::base
