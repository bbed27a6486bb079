// A fast hash for tables and names that nobody attacks: FNV-1a with 64 bits. For content that
// somebody could forge use base/digest.hpp.
#pragma once

#include <cstdint>
#include <string_view>

namespace warren::base {

inline constexpr std::uint64_t kFnvBasis = 0xcbf29ce484222325U;

// `seed` continues an earlier hash: fnv1a(b, fnv1a(a)) == fnv1a(a + b).
[[nodiscard]] constexpr std::uint64_t fnv1a(std::string_view text, std::uint64_t seed = kFnvBasis) {
    constexpr std::uint64_t kPrime = 0x100000001b3U;
    std::uint64_t hash = seed;
    for (const char c : text) {
        hash ^= static_cast<unsigned char>(c);
        hash *= kPrime;
    }
    return hash;
}

}  // namespace warren::base
