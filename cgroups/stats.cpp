#include <algorithm>
#include <array>
#include <cerrno>

#include "base/fd.hpp"
#include "cgroups/cgroup.hpp"
#include "cgroups/flat_file.hpp"
#include "cgroups/knobs.hpp"
#include "cgroups/members.hpp"
#include "cgroups/stats_parse.hpp"
#include "cgroups/take.hpp"

namespace warren::cgroups {

namespace {

void add(std::optional<std::uint64_t>& sum, std::uint64_t value) {
    sum = sum.value_or(0) + value;
}

// Nothing when the file is not there: its controller is not, or the kernel is older than it. EOPNOTSUPP
// is pressure that was switched off.
base::Result<std::optional<std::string>> read_optional(int dir, const char* file) {
    auto text = base::read_file_at(dir, file);
    if (text) {
        return std::optional(std::move(text).value());
    }
    const int error_number = text.error().error_number();
    if (error_number == ENOENT || error_number == EOPNOTSUPP) {
        return std::optional<std::string>();
    }
    if (error_number == ENODEV) {
        return base::Error(base::ErrorKind::NotFound, error_number, text.error().what());
    }
    return std::move(text).error();
}

base::Result<std::optional<std::uint64_t>> read_number(int dir, const char* file) {
    const auto text = TRY(read_optional(dir, file));
    if (!text) {
        return std::optional<std::uint64_t>();
    }
    const auto limit = TRY(parse_knob_limit(*text, file));
    return limit.max ? std::optional<std::uint64_t>() : std::optional(limit.value);
}

base::Status read_into(int dir,
                       const char* file,
                       void (*parse)(std::string_view, Stats&),
                       Stats& stats) {
    const auto text = TRY(read_optional(dir, file));
    if (text) {
        parse(*text, stats);
    }
    return base::ok();
}

base::Result<Stats> read_stats(int dir) {
    Stats stats;
    TRY(read_into(dir, "cpu.stat", parse_cpu_stat, stats));
    stats.memory_bytes = TRY(read_number(dir, "memory.current"));
    stats.memory_peak_bytes = TRY(read_number(dir, "memory.peak"));
    stats.swap_bytes = TRY(read_number(dir, "memory.swap.current"));
    stats.memory_max_bytes = TRY(read_number(dir, "memory.max"));
    TRY(read_into(dir, "memory.stat", parse_memory_stat, stats));
    TRY(read_into(dir, "memory.events", parse_memory_events, stats));
    stats.pids = TRY(read_number(dir, "pids.current"));
    if (!stats.pids) {
        stats.pids = TRY(count_threads(dir));
    }
    stats.pids_max = TRY(read_number(dir, "pids.max"));
    TRY(read_into(dir, "io.stat", parse_io_stat, stats));
    for (const char* resource : {"cpu", "memory", "io"}) {
        const auto text = TRY(read_optional(dir, (std::string(resource) + ".pressure").c_str()));
        const auto average = text ? parse_pressure(*text) : std::nullopt;
        if (average) {
            stats.pressure_some_avg10[resource] = *average;
        }
    }
    return stats;
}

}  // namespace

void parse_cpu_stat(std::string_view text, Stats& stats) {
    for_each_pair(text, [&stats](std::string_view key, std::uint64_t value) {
        if (key == "usage_usec") {
            stats.cpu_usage_micros = value;
        } else if (key == "user_usec") {
            stats.cpu_user_micros = value;
        } else if (key == "system_usec") {
            stats.cpu_system_micros = value;
        } else if (key == "throttled_usec") {
            stats.cpu_throttled_micros = value;
        }
    });
}

void parse_memory_stat(std::string_view text, Stats& stats) {
    for_each_pair(text, [&stats](std::string_view key, std::uint64_t value) {
        if (key == "anon") {
            stats.memory_anon_bytes = value;
        } else if (key == "file") {
            stats.memory_file_bytes = value;
        }
    });
}

void parse_memory_events(std::string_view text, Stats& stats) {
    for_each_pair(text, [&stats](std::string_view key, std::uint64_t value) {
        if (key == "max") {
            stats.memory_max_hits = value;
        } else if (key == "oom_kill") {
            stats.oom_kills = value;
        }
    });
}

void parse_io_stat(std::string_view text, Stats& stats) {
    // "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6"; without any device the file is empty.
    add(stats.io_read_bytes, 0);
    add(stats.io_write_bytes, 0);
    add(stats.io_reads, 0);
    add(stats.io_writes, 0);
    while (!text.empty()) {
        auto line = take(text, '\n');
        (void)take(line, ' ');
        while (!line.empty()) {
            auto pair = take(line, ' ');
            const auto key = take(pair, '=');
            const auto value = base::parse_uint(pair, 0, UINT64_MAX);
            if (!value) {
                continue;
            }
            if (key == "rbytes") {
                add(stats.io_read_bytes, value.value());
            } else if (key == "wbytes") {
                add(stats.io_write_bytes, value.value());
            } else if (key == "rios") {
                add(stats.io_reads, value.value());
            } else if (key == "wios") {
                add(stats.io_writes, value.value());
            }
        }
    }
}

std::optional<double> parse_pressure(std::string_view text) {
    // "some avg10=1.23 avg60=0.00 avg300=0.00 total=12345": always two decimals.
    while (!text.empty()) {
        auto line = take(text, '\n');
        if (take(line, ' ') != "some") {
            continue;
        }
        while (!line.empty()) {
            auto pair = take(line, ' ');
            if (take(pair, '=') != "avg10") {
                continue;
            }
            const auto whole = base::parse_uint(take(pair, '.'), 0, 100);
            const auto hundredths = base::parse_uint(pair, 0, 99);
            if (whole && hundredths) {
                return static_cast<double>(whole.value() * 100 + hundredths.value()) / 100.0;
            }
        }
    }
    return std::nullopt;
}

base::Result<Stats> Cgroup::stats() const {
    return base::with_context(read_stats(dir()), "cgroup " + path_);
}

}  // namespace warren::cgroups
