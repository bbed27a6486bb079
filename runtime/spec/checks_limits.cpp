// Checks of a guest's slice: what the kernel's knobs would refuse, and what would make a guest that
// cannot live.
#include <algorithm>
#include <set>
#include <utility>

#include "base/units.hpp"
#include "runtime/spec/checks.hpp"

namespace warren::spec {

namespace {

using cgroups::Limit;

constexpr std::uint64_t kMaxWeight = 10000;
// cpu.max refuses less than 1 ms of run time in its longest period, a second.
constexpr std::uint64_t kMinCpuMicros = 1'000;
constexpr std::size_t kMaxDevices = 64;
constexpr std::size_t kMaxPageSizes = 16;

bool is_zero(const std::optional<Limit>& limit) {
    return limit && !limit->max && limit->value == 0;
}

void check_weight(const char* place,
                  const std::optional<std::uint64_t>& weight,
                  Problems& problems) {
    if (weight && (*weight < 1 || *weight > kMaxWeight)) {
        problems.push_back({place, "expected 1 to 10000, found " + std::to_string(*weight)});
    }
}

struct MemoryBound {
    const char* place;
    std::uint64_t bytes;
};

// "1KB" to "16GB", as in the names of the hugetlb knobs: the text becomes part of a file name.
bool is_page_size(std::string_view text) {
    constexpr std::size_t kUnit = 2;
    constexpr std::size_t kMaxDigits = 4;
    if (text.size() <= kUnit || text.size() > kUnit + kMaxDigits) {
        return false;
    }
    const auto unit = text.substr(text.size() - kUnit);
    const auto digits = text.substr(0, text.size() - kUnit);
    return (unit == "KB" || unit == "MB" || unit == "GB") && digits.front() != '0' &&
           std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

void check_cpu(const GuestConfig& config, Problems& problems) {
    const auto& limits = config.limits;
    if (const auto& cpus = limits.cpu_max_micros;
        cpus && !cpus->max && cpus->value < kMinCpuMicros) {
        problems.push_back({"--cpus", "less than 0.001, the least the kernel can give"});
    }
    check_weight("--cpu-weight", limits.cpu_weight, problems);
    if (limits.cpuset && !limits.cpuset->empty()) {
        if (const auto parsed = cgroups::parse_cpuset(*limits.cpuset); !parsed) {
            problems.push_back({"--cpuset", parsed.error().what()});
        }
    }
}

void check_memory(const GuestConfig& config, Problems& problems) {
    const auto& limits = config.limits;
    if (is_zero(limits.memory_max)) {
        problems.push_back({"--memory", "0 leaves no memory to start in"});
    }
    if (is_zero(limits.memory_high)) {
        problems.push_back({"--memory-high", "0 leaves no memory to run in"});
    }
    std::vector<MemoryBound> bounds;
    for (const auto& guarantee : {limits.memory_min, limits.memory_low}) {
        if (guarantee && *guarantee != 0) {
            bounds.push_back({"--memory-guarantee", *guarantee});
        }
    }
    if (limits.memory_high && !limits.memory_high->max) {
        bounds.push_back({"--memory-high", limits.memory_high->value});
    }
    if (limits.memory_max && !limits.memory_max->max) {
        bounds.push_back({"--memory", limits.memory_max->value});
    }
    for (std::size_t i = 1; i < bounds.size(); ++i) {
        const auto& below = bounds[i - 1];
        const auto& above = bounds[i];
        if (below.bytes > above.bytes) {
            problems.push_back({below.place,
                                base::format_size(below.bytes) + " is more than " + above.place +
                                    " " + base::format_size(above.bytes)});
        }
    }
}

void check_pids(const GuestConfig& config, Problems& problems) {
    if (is_zero(config.limits.pids_max)) {
        problems.push_back({"--pids", "0 leaves no process to start"});
    }
}

void check_io(const GuestConfig& config, Problems& problems) {
    check_weight("--io-weight", config.limits.io_weight, problems);
    const auto& devices = config.limits.io_max;
    if (devices.size() > kMaxDevices) {
        problems.push_back({"--io-max", "more than " + std::to_string(kMaxDevices) + " devices"});
    }
    std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
    for (std::size_t i = 0; i < devices.size(); ++i) {
        const auto& device = devices[i];
        if (!seen.insert({device.major, device.minor}).second) {
            problems.push_back({nth("--io-max", i), "names a device that was named before"});
        }
        if (!device.rbps && !device.wbps && !device.riops && !device.wiops) {
            problems.push_back({nth("--io-max", i), "expected one of rbps, wbps, riops, wiops"});
        }
        if (is_zero(device.rbps) || is_zero(device.wbps) || is_zero(device.riops) ||
            is_zero(device.wiops)) {
            problems.push_back({nth("--io-max", i), "0 would stop it altogether"});
        }
    }
}

void check_hugetlb(const GuestConfig& config, Problems& problems) {
    const auto& sizes = config.limits.hugetlb;
    if (sizes.size() > kMaxPageSizes) {
        problems.push_back(
            {"--hugepages", "more than " + std::to_string(kMaxPageSizes) + " page sizes"});
    }
    std::set<std::string> seen;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        if (!is_page_size(sizes[i].page_size)) {
            problems.push_back({nth("--hugepages", i),
                                "\"" + sizes[i].page_size + "\" is no page size such as 2MB"});
        } else if (!seen.insert(sizes[i].page_size).second) {
            problems.push_back({nth("--hugepages", i), "names a page size that was named before"});
        }
    }
}

}  // namespace warren::spec
