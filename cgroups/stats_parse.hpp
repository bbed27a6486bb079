// The parsers behind Cgroup::stats(). They take what they know and skip the rest: kernels add lines.
#pragma once

#include <optional>
#include <string_view>

#include "cgroups/cgroup.hpp"

namespace warren::cgroups {

void parse_cpu_stat(std::string_view text, Stats& stats);
void parse_memory_stat(std::string_view text, Stats& stats);
void parse_memory_events(std::string_view text, Stats& stats);
// The sum over all devices.
void parse_io_stat(std::string_view text, Stats& stats);
// "some avg10=" of a pressure file, in per cent.
[[nodiscard]] std::optional<double> parse_pressure(std::string_view text);

}  // namespace warren::cgroups
