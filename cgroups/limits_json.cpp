#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "base/excerpt.hpp"
#include "base/units.hpp"
#include "cgroups/limits.hpp"
#include "cgroups/limits_parse.hpp"

namespace warren::cgroups {

namespace {

using base::Json;
using base::JsonReader;

constexpr const char* kMax = "max";

struct Range {
    std::uint64_t min = 0;
    std::uint64_t max = kBytesMax;
};

Json to_json(const Limit& limit) {
    return limit.max ? Json(kMax) : Json(limit.value);
}

template <typename T>
void put(Json& out, const char* key, const std::optional<T>& member) {
    if (!member) {
        return;
    }
    if constexpr (std::is_same_v<T, Limit>) {
        out[key] = to_json(*member);
    } else {
        out[key] = *member;
    }
}

base::Error refuse(const JsonReader& reader, const std::string& key, const std::string& expected) {
    return base::usage_error("expected " + expected).with_place(reader.pointer() + "/" + key);
}

std::string words(Range range) {
    return "a number from " + std::to_string(range.min) + " to " + std::to_string(range.max);
}

base::Result<std::optional<std::uint64_t>> read_number(const JsonReader& reader,
                                                       const char* key,
                                                       Range range = {}) {
    const auto number = TRY(reader.optional_uint(key));
    if (number && (*number < range.min || *number > range.max)) {
        return refuse(reader, key, words(range));
    }
    return number;
}

base::Result<std::optional<Limit>> read_limit(const JsonReader& reader,
                                              const char* key,
                                              Range range = {}) {
    if (!reader.has(key)) {
        return std::optional<Limit>();
    }
    if (reader.value().at(key).is_string()) {
        if (TRY(reader.string(key)) != kMax) {
            return refuse(reader, key, words(range) + R"( or "max")");
        }
        return std::optional(Limit::none());
    }
    return std::optional(Limit::of(*TRY(read_number(reader, key, range))));
}

// A misspelt limit must not be a limit that is not there.
template <std::size_t N>
base::Status refuse_others(const JsonReader& reader, const std::array<const char*, N>& known) {
    for (const auto& item : reader.value().items()) {
        const bool found = std::any_of(
            known.begin(), known.end(), [&](const char* key) { return item.key() == key; });
        if (!found) {
            return base::usage_error("unknown member")
                .with_place(reader.pointer() + "/" + base::excerpt(item.key()));
        }
    }
    return base::ok();
}

Json to_json(const IoMax& io) {
    Json out = Json::object();
    out["device"] = std::to_string(io.major) + ":" + std::to_string(io.minor);
    put(out, "rbps", io.rbps);
    put(out, "wbps", io.wbps);
    put(out, "riops", io.riops);
    put(out, "wiops", io.wiops);
    return out;
}

base::Result<IoMax> read_io_max(const JsonReader& reader) {
    constexpr std::uint64_t kMajorMax = (1U << 12U) - 1;
    constexpr std::uint64_t kMinorMax = (1U << 20U) - 1;
    TRY(refuse_others(reader, std::array{"device", "rbps", "wbps", "riops", "wiops"}));
    const auto device = TRY(reader.string("device"));
    const auto colon = std::min(device.find(':'), device.size());
    const auto major = base::parse_uint(device.substr(0, colon), 0, kMajorMax);
    const auto minor = base::parse_uint(
        colon < device.size() ? device.substr(colon + 1) : std::string(), 0, kMinorMax);
    if (!major || !minor) {
        return refuse(reader, "device", "MAJOR:MINOR");
    }
    IoMax io;
    io.major = static_cast<std::uint32_t>(major.value());
    io.minor = static_cast<std::uint32_t>(minor.value());
    io.rbps = TRY(read_limit(reader, "rbps", {1, kBytesMax}));
    io.wbps = TRY(read_limit(reader, "wbps", {1, kBytesMax}));
    io.riops = TRY(read_limit(reader, "riops", {1, UINT32_MAX}));
    io.wiops = TRY(read_limit(reader, "wiops", {1, UINT32_MAX}));
    return io;
}

base::Result<HugetlbLimit> read_hugetlb(const JsonReader& reader) {
    TRY(refuse_others(reader, std::array{"page_size", "max_bytes"}));
    HugetlbLimit limit;
    limit.page_size = TRY(reader.string("page_size"));
    // It becomes a file name.
    if (!is_page_size_name(limit.page_size)) {
        return refuse(reader, "page_size", "a page size like 2MB");
    }
    const auto bytes = TRY(read_limit(reader, "max_bytes"));
    if (!bytes) {
        return refuse(reader, "max_bytes", words({}) + R"( or "max")");
    }
    limit.pages_bytes = *bytes;
    return limit;
}

base::Result<std::optional<std::string>> read_cpuset(const JsonReader& reader) {
    const auto text = TRY(reader.optional_string("cpuset"));
    if (!text || text->empty()) {
        return text;
    }
    auto list = parse_cpuset(*text);
    if (!list) {
        return std::move(list).error().with_place(reader.pointer() + "/cpuset");
    }
    return std::optional(std::move(list).value());
}

}  // namespace

Json to_json(const Limits& limits) {
    Json out = Json::object();
    put(out, "cpu_max_micros", limits.cpu_max_micros);
    put(out, "cpu_weight", limits.cpu_weight);
    put(out, "cpuset", limits.cpuset);
    put(out, "memory_max_bytes", limits.memory_max);
    put(out, "memory_high_bytes", limits.memory_high);
    put(out, "memory_low_bytes", limits.memory_low);
    put(out, "memory_min_bytes", limits.memory_min);
    put(out, "swap_max_bytes", limits.swap_max);
    put(out, "pids_max", limits.pids_max);
    put(out, "io_weight", limits.io_weight);
    for (const IoMax& io : limits.io_max) {
        out["io_max"].push_back(to_json(io));
    }
    for (const HugetlbLimit& hugetlb : limits.hugetlb) {
        Json entry = Json::object();
        entry["page_size"] = hugetlb.page_size;
        entry["max_bytes"] = to_json(hugetlb.pages_bytes);
        out["hugetlb"].push_back(std::move(entry));
    }
    return out;
}

base::Result<Limits> limits_from_json(const JsonReader& reader) {
    TRY(refuse_others(reader,
                      std::array{"cpu_max_micros",
                                 "cpu_weight",
                                 "cpuset",
                                 "memory_max_bytes",
                                 "memory_high_bytes",
                                 "memory_low_bytes",
                                 "memory_min_bytes",
                                 "swap_max_bytes",
                                 "pids_max",
                                 "io_weight",
                                 "io_max",
                                 "hugetlb"}));
    Limits limits;
    limits.cpu_max_micros =
        TRY(read_limit(reader, "cpu_max_micros", {kCpuMicrosMin, kCpuMicrosMax}));
    limits.cpu_weight = TRY(read_number(reader, "cpu_weight", {kWeightMin, kWeightMax}));
    limits.cpuset = TRY(read_cpuset(reader));
    limits.memory_max = TRY(read_limit(reader, "memory_max_bytes"));
    limits.memory_high = TRY(read_limit(reader, "memory_high_bytes"));
    limits.memory_low = TRY(read_number(reader, "memory_low_bytes"));
    limits.memory_min = TRY(read_number(reader, "memory_min_bytes"));
    limits.swap_max = TRY(read_limit(reader, "swap_max_bytes"));
    limits.pids_max = TRY(read_limit(reader, "pids_max", {1, kPidsMax}));
    limits.io_weight = TRY(read_number(reader, "io_weight", {kWeightMin, kWeightMax}));
    // Through merge(), so that a device or a page size stands in the lists once.
    Limits lists;
    for (const JsonReader& entry : TRY(reader.objects("io_max"))) {
        lists.io_max = {TRY(read_io_max(entry))};
        limits.merge(lists);
    }
    lists = Limits();
    for (const JsonReader& entry : TRY(reader.objects("hugetlb"))) {
        lists.hugetlb = {TRY(read_hugetlb(entry))};
        limits.merge(lists);
    }
    return limits;
}

}  // namespace warren::cgroups
