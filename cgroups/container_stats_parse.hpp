// The parsers behind read_container_stats(). They take what they know and skip the rest: kernels add lines.
#pragma once

#include <string_view>
#include <vector>

#include "cgroups/container_stats.hpp"

namespace warren::cgroups {

// "KEY VALUE" a line.
[[nodiscard]] Counters parse_counters(std::string_view text);
// "8:0 rbytes=1 wbytes=2" a line.
[[nodiscard]] std::vector<IoCounters> parse_io_counters(std::string_view text);
// "mlx5_0 hca_handle=2 hca_object=2000" a line.
[[nodiscard]] std::map<std::string, Counters> parse_named_counters(std::string_view text);
// "some avg10=0.12 avg60=0.00 avg300=0.00 total=12345" and the same with "full" a line.
[[nodiscard]] Pressure parse_pressure_file(std::string_view text);

}  // namespace warren::cgroups
