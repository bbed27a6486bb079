// What the command line's parser and the JSON reader agree on.
#pragma once

#include <cstdint>
#include <string_view>

namespace warren::cgroups {

inline constexpr std::uint64_t kWeightMin = 1;
inline constexpr std::uint64_t kWeightMax = 10'000;
// A thousandth of a CPU to a million CPUs, in microseconds a second.
inline constexpr std::uint64_t kCpuMicrosMin = 1'000;
inline constexpr std::uint64_t kCpuMicrosMax = 1'000'000'000'000;
// PIDS_MAX of the kernel less one: the largest number that pids.max takes.
inline constexpr std::uint64_t kPidsMax = 4'194'304;
inline constexpr std::uint64_t kBytesMax = INT64_MAX;

// "2MB", "1GB", "64KB": the piece of a knob's name that the kernel makes of a huge page size.
[[nodiscard]] bool is_page_size_name(std::string_view text);

}  // namespace warren::cgroups
