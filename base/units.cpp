#include "base/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>

namespace warren::base {

namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::string_view kSuffixes = "KMGTPE";

Error not_a(std::string_view kind, std::string_view text, std::string_view why) {
    constexpr std::size_t kShown = 64;
    auto shown = std::string(text.substr(0, kShown)) + (text.size() > kShown ? "..." : "");
    return usage_error("invalid " + std::string(kind) + " \"" + shown + "\": " + std::string(why));
}

bool is_decimal(char c) {
    return c >= '0' && c <= '9';
}

// The number in `text`; nothing when it is not digits only or does not fit.
std::optional<std::uint64_t> digits(std::string_view text) {
    std::uint64_t value = 0;
    if (text.empty() || !std::all_of(text.begin(), text.end(), is_decimal)) {
        return std::nullopt;
    }
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc()) {
        return std::nullopt;
    }
    return value;
}

struct Decimal {
    std::uint64_t whole = 0;
    std::uint64_t fraction = 0;  // in units of 1/scale
    std::uint64_t scale = 1;
    bool has_fraction = false;
};

// "12" or "12.34" with at most `places` decimals.
std::optional<Decimal> parse_decimal(std::string_view text, std::size_t places) {
    const auto dot = text.find('.');
    const auto whole = digits(text.substr(0, dot));
    if (!whole) {
        return std::nullopt;
    }
    Decimal decimal;
    decimal.whole = *whole;
    if (dot == std::string_view::npos) {
        return decimal;
    }
    const auto tail = text.substr(dot + 1);
    const auto fraction = digits(tail);
    if (!fraction || tail.size() > places) {
        return std::nullopt;
    }
    decimal.has_fraction = true;
    decimal.fraction = *fraction;
    for (std::size_t i = 0; i < tail.size(); ++i) {
        decimal.scale *= 10;
    }
    return decimal;
}

// Takes "K", "KB", "KiB" or "B" off the end; answers the power of two that the suffix stands for.
unsigned take_suffix(std::string_view& text) {
    auto rest = text;
    const bool bytes = rest.ends_with('B');
    if (bytes) {
        rest.remove_suffix(1);
    }
    const bool binary = bytes && rest.ends_with('i');
    if (binary) {
        rest.remove_suffix(1);
    }
    const char letter = rest.empty() ? '\0' : rest.back();
    const char upper =
        letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
    const auto index = upper == '\0' ? std::string_view::npos : kSuffixes.find(upper);
    if (index != std::string_view::npos) {
        rest.remove_suffix(1);
        text = rest;
        return 10U * (static_cast<unsigned>(index) + 1);
    }
    if (bytes && !binary) {
        text = rest;
    }
    return 0;
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
    constexpr std::size_t kPlaces = 18;  // 10^18 * 2^60 still fits into Wide
    constexpr auto kMax = static_cast<Wide>(std::numeric_limits<std::int64_t>::max());
    auto number = text;
    const unsigned shift = take_suffix(number);
    const auto decimal = parse_decimal(number, kPlaces);
    if (!decimal) {
        return not_a("size", text, "expected a number like 512M, 1.5G or 1048576");
    }
    const Wide value = (static_cast<Wide>(decimal->whole) << shift) +
                       (static_cast<Wide>(decimal->fraction) << shift) / decimal->scale;
    if (value > kMax) {
        return not_a("size", text, "at most 8 EiB - 1");
    }
    if (decimal->has_fraction && (shift == 0 || (value == 0 && decimal->fraction != 0))) {
        return not_a("size", text, "a fraction of a byte");
    }
    return static_cast<std::uint64_t>(value);
}

std::string format_size(std::uint64_t bytes) {
    if (bytes < 1024) {
        return std::to_string(bytes) + "B";
    }
    std::size_t unit = 0;
    const auto tenths = [bytes](std::size_t index) {
        const unsigned shift = 10U * (static_cast<unsigned>(index) + 1);
        const Wide half = static_cast<Wide>(1) << (shift - 1);
        return static_cast<std::uint64_t>((static_cast<Wide>(bytes) * 10 + half) >> shift);
    };
    // By the rounded value, so that 1 MiB - 1 is "1.0M" and not "1024.0K".
    while (unit + 1 < kSuffixes.size() && tenths(unit) >= 10240) {
        ++unit;
    }
    const std::uint64_t size = std::uint64_t{1} << (10U * (static_cast<unsigned>(unit) + 1));
    if (bytes % size == 0) {
        return std::to_string(bytes / size) + kSuffixes[unit];
    }
    const auto value = tenths(unit);
    return std::to_string(value / 10) + "." + std::to_string(value % 10) + kSuffixes[unit];
}

Result<std::uint64_t> parse_uint(std::string_view text, std::uint64_t min, std::uint64_t max) {
    const auto value = digits(text);
    if (!value || *value < min || *value > max) {
        return not_a(
            "number",
            text,
            "expected a number from " + std::to_string(min) + " to " + std::to_string(max));
    }
    return *value;
}

Result<std::uint64_t> parse_cpus(std::string_view text) {
    constexpr std::uint64_t kMicros = 1'000'000;
    constexpr std::uint64_t kMaxCpus = 1'000'000;
    constexpr std::uint64_t kMin = 1'000;
    const auto decimal = parse_decimal(text, 6);
    if (!decimal || decimal->whole > kMaxCpus) {
        return not_a("number of cpus", text, "expected 0.001 to 1000000, like 1.5");
    }
    const auto micros = decimal->whole * kMicros + decimal->fraction * (kMicros / decimal->scale);
    if (micros < kMin || micros > kMaxCpus * kMicros) {
        return not_a("number of cpus", text, "expected 0.001 to 1000000, like 1.5");
    }
    return micros;
}

std::string format_cpus(std::uint64_t micros_per_second) {
    constexpr std::uint64_t kMicros = 1'000'000;
    auto text = std::to_string(micros_per_second / kMicros);
    const auto fraction = micros_per_second % kMicros;
    if (fraction == 0) {
        return text;
    }
    // The leading 1 keeps the zeros after the point.
    auto decimals = std::to_string(kMicros + fraction).substr(1);
    decimals.erase(decimals.find_last_not_of('0') + 1);
    return text + "." + decimals;
}

}  // namespace warren::base
