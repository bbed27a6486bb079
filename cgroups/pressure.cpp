#include "cgroups/pressure.hpp"

#include <fcntl.h>

#include "base/fd.hpp"
#include "cgroups/container_stats_parse.hpp"

namespace warren::cgroups {

std::optional<StallTimes> host_stall_times(const std::string& root) {
    const auto read = [&](const char* resource) {
        return base::read_file_at(AT_FDCWD, root + "/proc/pressure/" + resource);
    };
    const auto memory = read("memory");
    const auto io = read("io");
    if (!memory || !io) {
        return std::nullopt;
    }
    return StallTimes{parse_pressure_file(memory.value()).some.total_micros,
                      parse_pressure_file(io.value()).full.total_micros};
}

}  // namespace warren::cgroups
