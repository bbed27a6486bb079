// Sizes, counts and times as people type them and as machines read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace warren::base {

// "512M", "1.5G", "64k", "1048576", an optional trailing "iB" or "B"; powers of 1024; up to 8 EiB
// - 1. Refuses signs, blanks, other suffixes and fractions of a byte that cannot be meant ("0.3",
// "0.0001k"); what a suffix leaves of a byte is cut off ("0.1k" is 102). All parsers here answer
// with kind Usage.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);
// "511.9M"-like text for people; exact multiples lose the fraction ("512M"), less than 1 KiB is "N"
// + "B".
[[nodiscard]] std::string format_size(std::uint64_t bytes);

// Decimal digits only, whole text, within [min, max].
[[nodiscard]] Result<std::uint64_t> parse_uint(std::string_view text,
                                               std::uint64_t min,
                                               std::uint64_t max);

// "1.5" CPUs -> 1'500'000 microseconds of run time a second; 0.001 to 1,000,000 CPUs.
[[nodiscard]] Result<std::uint64_t> parse_cpus(std::string_view text);
[[nodiscard]] std::string format_cpus(std::uint64_t micros_per_second);

// A point in wall-clock time as RFC 3339 in UTC with microseconds: "2026-01-02T03:04:05.000006Z".
[[nodiscard]] std::string format_time(std::chrono::system_clock::time_point time);
[[nodiscard]] std::string format_time_now();
// Any RFC 3339 time of the years 1678 to 2261, with up to nine decimals and "Z" or an offset.
[[nodiscard]] Result<std::chrono::system_clock::time_point> parse_time(std::string_view text);
// "3s", "12m", "5h", "8d": an age for people.
[[nodiscard]] std::string format_age(std::chrono::seconds age);

}  // namespace warren::base
