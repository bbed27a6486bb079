#include "runtime/engine/oci/stats_json.hpp"

#include <limits>

#include <nlohmann/json.hpp>

namespace warren::engine::oci {

namespace {

using base::Json;
using cgroups::Counters;

constexpr std::uint64_t kNanosPerMicro = 1000;

std::uint64_t get(const Counters& counters, const char* key) {
    const auto found = counters.find(key);
    return found == counters.end() ? 0 : found->second;
}

std::uint64_t limit_of(const std::optional<cgroups::Limit>& limit) {
    return limit && !limit->max ? limit->value : std::numeric_limits<std::uint64_t>::max();
}

Json pressure_json(const cgroups::ContainerStats& stats, const char* what) {
    const auto found = stats.pressure.find(what);
    if (found == stats.pressure.end()) {
        return nullptr;
    }
    const auto line = [](const cgroups::PressureLine& from) {
        return Json{{"avg10", from.avg10},
                    {"avg60", from.avg60},
                    {"avg300", from.avg300},
                    {"total", from.total_micros}};
    };
    return Json{{"some", line(found->second.some)}, {"full", line(found->second.full)}};
}

void add_pressure(Json& to, const cgroups::ContainerStats& stats, const char* what) {
    if (auto pressure = pressure_json(stats, what); !pressure.is_null()) {
        to["psi"] = std::move(pressure);
    }
}

Json cpu_json(const cgroups::ContainerStats& stats) {
    Json cpu = Json::object();
    cpu["usage"] = Json{{"total", get(stats.cpu, "usage_usec") * kNanosPerMicro},
                        {"kernel", get(stats.cpu, "system_usec") * kNanosPerMicro},
                        {"user", get(stats.cpu, "user_usec") * kNanosPerMicro}};
    cpu["throttling"] = Json{{"periods", get(stats.cpu, "nr_periods")},
                             {"throttledPeriods", get(stats.cpu, "nr_throttled")},
                             {"throttledTime", get(stats.cpu, "throttled_usec") * kNanosPerMicro}};
    add_pressure(cpu, stats, "cpu");
    return cpu;
}

Json memory_json(const cgroups::ContainerStats& stats) {
    Json memory = Json::object();
    memory["cache"] = get(stats.memory, "file");
    Json usage = Json::object();
    usage["limit"] = limit_of(stats.memory_max);
    usage["usage"] = stats.memory_bytes.value_or(0);
    usage["max"] = stats.memory_peak_bytes.value_or(0);
    usage["failcnt"] = get(stats.memory_events, "max");
    memory["usage"] = std::move(usage);
    // Memory and swap together, as cgroup v1 counted.
    Json swap = Json::object();
    swap["limit"] = limit_of(stats.swap_max);
    swap["usage"] = stats.memory_bytes.value_or(0) + stats.swap_bytes.value_or(0);
    swap["failcnt"] = get(stats.swap_events, "max");
    memory["swap"] = std::move(swap);
    memory["raw"] = stats.memory;
    add_pressure(memory, stats, "memory");
    return memory;
}

void add_io(Json& to, const cgroups::IoCounters& device, const char* operation, const char* key) {
    to.push_back(Json{{"major", device.major},
                      {"minor", device.minor},
                      {"op", operation},
                      {"value", get(device.values, key)}});
}

Json io_json(const cgroups::ContainerStats& stats) {
    Json bytes = Json::array();
    Json operations = Json::array();
    for (const auto& device : stats.io) {
        add_io(bytes, device, "Read", "rbytes");
        add_io(bytes, device, "Write", "wbytes");
        add_io(bytes, device, "Discard", "dbytes");
        add_io(operations, device, "Read", "rios");
        add_io(operations, device, "Write", "wios");
        add_io(operations, device, "Discard", "dios");
    }
    Json io = Json::object();
    io["ioServiceBytesRecursive"] = std::move(bytes);
    io["ioServicedRecursive"] = std::move(operations);
    add_pressure(io, stats, "io");
    return io;
}

}  // namespace

Json stats_json(const cgroups::ContainerStats& stats) {
    Json data = Json::object();
    data["cpu"] = cpu_json(stats);
    data["memory"] = memory_json(stats);
    Json pids = Json::object();
    pids["current"] = stats.pids.value_or(0);
    if (stats.pids_max && !stats.pids_max->max) {
        pids["limit"] = stats.pids_max->value;
    }
    data["pids"] = std::move(pids);
    data["blkio"] = io_json(stats);
    Json hugetlb = Json::object();
    for (const auto& [size, counters] : stats.hugetlb) {
        hugetlb[size] = Json{{"usage", counters.current_bytes},
                             {"limit", limit_of(counters.max_bytes)},
                             {"failcnt", counters.max_hits}};
    }
    data["hugetlb"] = std::move(hugetlb);
    if (!stats.rdma.empty()) {
        data["rdma"] = stats.rdma;
    }
    return data;
}

}  // namespace warren::engine::oci
