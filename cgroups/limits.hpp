// A guest's slice of the host, in the terms of cgroup v2 (Documentation/admin-guide/cgroup-v2). Values only.
// An absent member leaves the knob alone; Max takes the limit off.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace warren::cgroups {

// A number, or "max": no limit.
struct Limit {
    bool max = true;
    std::uint64_t value = 0;

    [[nodiscard]] static Limit none() { return {}; }

    [[nodiscard]] static Limit of(std::uint64_t value) { return {false, value}; }

    bool operator==(const Limit&) const = default;
};

// "MAJ:MIN rbps=... wbps=... riops=... wiops=..." of io.max.
struct IoMax {
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    std::optional<Limit> rbps, wbps, riops, wiops;
    bool operator==(const IoMax&) const = default;
};

struct HugetlbLimit {
    std::string page_size;  // as in the knob's name: "2MB", "1GB"
    Limit pages_bytes;
    bool operator==(const HugetlbLimit&) const = default;
};

struct Limits {
    std::optional<Limit>
        cpu_max_micros;  // run time a second of wall time; cpu.max with a 100 ms period
    std::optional<std::uint64_t> cpu_weight;              // 1..10000
    std::optional<std::string> cpuset;                    // "0-1,3"; "" takes it off
    std::optional<Limit> memory_max, memory_high;         // bytes
    std::optional<std::uint64_t> memory_low, memory_min;  // bytes; 0 takes it off
    std::optional<Limit> swap_max;                        // bytes of swap alone
    std::optional<Limit> pids_max;
    std::optional<std::uint64_t> io_weight;  // 1..10000
    std::vector<IoMax> io_max;
    std::vector<HugetlbLimit> hugetlb;
    bool operator==(const Limits&) const = default;

    // Members that are set in `newer` replace those here; io_max by device, hugetlb by page size.
    void merge(const Limits& newer);

    [[nodiscard]] bool empty() const { return *this == Limits{}; }
};

// The words of the command line: "--cpus 1.5", "none" takes off. Errors name the text.
[[nodiscard]] base::Result<Limit> parse_limit_size(std::string_view text);
[[nodiscard]] base::Result<Limit> parse_limit_count(std::string_view text);
[[nodiscard]] base::Result<Limit> parse_limit_cpus(std::string_view text);
[[nodiscard]] base::Result<std::string> parse_cpuset(
    std::string_view text);  // normalised; checked as a list
// "DEV:rbps=10M,wbps=none,riops=100": DEV is /dev/x, a path (its file system's device) or MAJ:MIN.
[[nodiscard]] base::Result<IoMax> parse_io_max(std::string_view text);
[[nodiscard]] base::Result<HugetlbLimit> parse_hugepages(
    std::string_view text);  // "2M:100", "2M:none"

[[nodiscard]] base::Json to_json(const Limits& limits);
[[nodiscard]] base::Result<Limits> limits_from_json(const base::JsonReader& reader);

enum class Controller : std::uint8_t { Cpu, Cpuset, Memory, Io, Pids, Hugetlb };
[[nodiscard]] std::string_view name(Controller controller);
// Which controllers these limits need.
[[nodiscard]] std::vector<Controller> needed_controllers(const Limits& limits);

}  // namespace warren::cgroups
