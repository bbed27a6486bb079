#include "cgroups/container_stats.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include <fcntl.h>
#include <unistd.h>

#include "base/units.hpp"
#include "cgroups/container_stats_parse.hpp"
#include "cgroups/flat_file.hpp"
#include "cgroups/knobs.hpp"
#include "cgroups/members.hpp"
#include "cgroups/take.hpp"
#include "cgroups/tree.hpp"

namespace warren::cgroups {

namespace {

constexpr const char* kMemoryEvents = "memory.events";

// "KEY=VALUE KEY=VALUE"; values that are no numbers ("max") are left out.
Counters parse_pairs(std::string_view line) {
    Counters values;
    while (!line.empty()) {
        auto pair = take(line, ' ');
        const auto key = take(pair, '=');
        const auto value = base::parse_uint(pair, 0, UINT64_MAX);
        if (value) {
            values.emplace(key, value.value());
        }
    }
    return values;
}

// Nothing when the file is not there: its controller is not, or the kernel is older than it. EOPNOTSUPP is pressure
// that was switched off.
base::Result<std::optional<std::string>> read_optional(int dir, const std::string& file) {
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

base::Result<std::optional<Limit>> read_limit(int dir, const std::string& file) {
    const auto text = TRY(read_optional(dir, file));
    if (!text) {
        return std::optional<Limit>();
    }
    return std::optional(TRY(parse_knob_limit(*text, file)));
}

base::Result<std::optional<std::uint64_t>> read_number(int dir, const std::string& file) {
    const auto limit = TRY(read_limit(dir, file));
    return limit && !limit->max ? std::optional(limit->value) : std::nullopt;
}

base::Result<Counters> read_counters(int dir, const std::string& file) {
    const auto text = TRY(read_optional(dir, file));
    return text ? parse_counters(*text) : Counters();
}

base::Status read_memory(int dir, ContainerStats& stats) {
    stats.memory_bytes = TRY(read_number(dir, "memory.current"));
    stats.memory_peak_bytes = TRY(read_number(dir, "memory.peak"));
    stats.memory_max = TRY(read_limit(dir, "memory.max"));
    stats.swap_bytes = TRY(read_number(dir, "memory.swap.current"));
    stats.swap_max = TRY(read_limit(dir, "memory.swap.max"));
    stats.memory = TRY(read_counters(dir, "memory.stat"));
    stats.memory_events = TRY(read_counters(dir, kMemoryEvents));
    stats.swap_events = TRY(read_counters(dir, "memory.swap.events"));
    return base::ok();
}

// The sizes are those of the files that are there.
base::Status read_hugetlb(int dir, ContainerStats& stats) {
    constexpr std::string_view kPrefix = "hugetlb.";
    constexpr std::string_view kSuffix = ".current";
    const auto controllers = TRY(read_optional(dir, "cgroup.controllers"));
    if (!controllers || controllers->find("hugetlb") == std::string::npos) {
        return base::ok();
    }
    for (const std::string& file : TRY(base::list_dir(dir, "."))) {
        const std::string_view name(file);
        if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix) ||
            name.find(".rsvd.") != name.npos) {
            continue;
        }
        const auto size =
            file.substr(kPrefix.size(), file.size() - kPrefix.size() - kSuffix.size());
        const auto stem = std::string(kPrefix) + size;
        HugetlbCounters& counters = stats.hugetlb[size];
        counters.current_bytes = TRY(read_number(dir, file)).value_or(0);
        counters.max_bytes = TRY(read_limit(dir, stem + ".max"));
        counters.max_hits = TRY(read_counters(dir, stem + ".events"))["max"];
    }
    return base::ok();
}

base::Result<ContainerStats> read_all_stats(int dir) {
    ContainerStats stats;
    stats.cpu = TRY(read_counters(dir, "cpu.stat"));
    TRY(read_memory(dir, stats));
    stats.pids = TRY(read_number(dir, "pids.current"));
    if (!stats.pids) {
        stats.pids = TRY(count_threads(dir));
    }
    stats.pids_max = TRY(read_limit(dir, "pids.max"));
    stats.io = parse_io_counters(TRY(read_optional(dir, "io.stat")).value_or(""));
    TRY(read_hugetlb(dir, stats));
    stats.rdma = parse_named_counters(TRY(read_optional(dir, "rdma.current")).value_or(""));
    for (const char* resource : {"cpu", "memory", "io"}) {
        const auto text = TRY(read_optional(dir, std::string(resource) + ".pressure"));
        if (text) {
            stats.pressure[resource] = parse_pressure_file(*text);
        }
    }
    return stats;
}

// Always two decimals.
double parse_average(std::string_view text) {
    double value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    return parsed.ec == std::errc() ? value : 0;
}

PressureLine parse_pressure_line(std::string_view line) {
    PressureLine out;
    while (!line.empty()) {
        auto pair = take(line, ' ');
        const auto key = take(pair, '=');
        if (key == "avg10") {
            out.avg10 = parse_average(pair);
        } else if (key == "avg60") {
            out.avg60 = parse_average(pair);
        } else if (key == "avg300") {
            out.avg300 = parse_average(pair);
        } else if (key == "total") {
            const auto total = base::parse_uint(pair, 0, UINT64_MAX);
            out.total_micros = total ? total.value() : 0;
        }
    }
    return out;
}

// By the descriptor that poll(2) waits on: the kernel marks an event as seen when it is read from the start.
base::Result<std::uint64_t> read_oom_kills(int file) {
    std::array<char, 1024> buffer = {};
    const ssize_t got = ::pread(file, buffer.data(), buffer.size(), 0);
    if (got < 0) {
        const int error_number = errno;
        const auto kind =
            error_number == ENODEV ? base::ErrorKind::NotFound : base::ErrorKind::Failed;
        return base::Error(kind, error_number, std::string("read ") + kMemoryEvents);
    }
    return parse_counters({buffer.data(), static_cast<std::size_t>(got)})["oom_kill"];
}

}  // namespace

Counters parse_counters(std::string_view text) {
    Counters out;
    for_each_pair(text, [&out](std::string_view key, std::uint64_t value) {
        out.insert_or_assign(std::string(key), value);
    });
    return out;
}

std::vector<IoCounters> parse_io_counters(std::string_view text) {
    std::vector<IoCounters> out;
    while (!text.empty()) {
        auto line = take(text, '\n');
        auto device = take(line, ' ');
        const auto major = base::parse_uint(take(device, ':'), 0, UINT32_MAX);
        const auto minor = base::parse_uint(device, 0, UINT32_MAX);
        auto values = parse_pairs(line);
        if (major && minor && !values.empty()) {
            out.push_back({static_cast<std::uint32_t>(major.value()),
                           static_cast<std::uint32_t>(minor.value()),
                           std::move(values)});
        }
    }
    return out;
}

std::map<std::string, Counters> parse_named_counters(std::string_view text) {
    std::map<std::string, Counters> out;
    while (!text.empty()) {
        auto line = take(text, '\n');
        const auto name = take(line, ' ');
        if (!name.empty()) {
            out.emplace(name, parse_pairs(line));
        }
    }
    return out;
}

Pressure parse_pressure_file(std::string_view text) {
    Pressure out;
    while (!text.empty()) {
        auto line = take(text, '\n');
        const auto kind = take(line, ' ');
        if (kind == "some") {
            out.some = parse_pressure_line(line);
        } else if (kind == "full") {
            out.full = parse_pressure_line(line);
        }
    }
    return out;
}

base::Result<ContainerStats> read_container_stats(int dir) {
    return read_all_stats(dir);
}

base::Result<OomWatch> OomWatch::open(int dir) {
    auto file = base::open_at(dir, kMemoryEvents, O_RDONLY);
    if (!file) {
        if (file.error().error_number() == ENOENT && TRY(base::exists_at(dir, "cgroup.procs"))) {
            return base::Error(base::ErrorKind::Unsupported,
                               "this cgroup has no memory controller, which counts oom kills");
        }
        return is_gone(file.error()) ? base::Error(base::ErrorKind::NotFound,
                                                   file.error().error_number(),
                                                   file.error().what())
                                     : std::move(file).error();
    }
    OomWatch watch(std::move(file).value());
    watch.seen_ = TRY(read_oom_kills(watch.fd()));
    return watch;
}

base::Result<std::uint64_t> OomWatch::read() {
    const auto now = TRY(read_oom_kills(fd()));
    return now - std::exchange(seen_, now);
}

}  // namespace warren::cgroups
