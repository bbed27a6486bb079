// /linux/resources: values only. What cgroup v2 makes of them is for cgroups/resources.hpp.
#include <array>

#include "cgroups/resources.hpp"
#include "runtime/spec/oci/reading.hpp"

namespace warren::spec::oci {

namespace {

using base::JsonReader;
using base::Result;
using base::Status;

struct DeviceNumber {
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
};

Result<DeviceNumber> read_device_number(const JsonReader& reader) {
    DeviceNumber out;
    out.major = static_cast<std::uint32_t>(TRY(uint_up_to(reader, "major", kMaxMajor)));
    out.minor = static_cast<std::uint32_t>(TRY(uint_up_to(reader, "minor", kMaxMinor)));
    return out;
}

// -1 is how engines write "any".
Result<std::optional<std::uint32_t>> read_any_number(const JsonReader& reader,
                                                     const char* key,
                                                     std::uint64_t max) {
    const auto value =
        TRY(optional_integer_within(reader, key, -1, static_cast<std::int64_t>(max)));
    if (!value || *value < 0) {
        return std::optional<std::uint32_t>();
    }
    return std::optional<std::uint32_t>(static_cast<std::uint32_t>(*value));
}

// Absent or empty: all of them, as the specification's defaults have it.
Status read_access(const JsonReader& reader, cgroups::DeviceRule& rule) {
    const auto access = TRY(text(reader, "access"));
    if (access.empty()) {
        return base::ok();
    }
    rule.read = rule.write = rule.make = false;
    for (const char letter : access) {
        if (letter == 'r') {
            rule.read = true;
        } else if (letter == 'w') {
            rule.write = true;
        } else if (letter == 'm') {
            rule.make = true;
        } else {
            return base::usage_error("expected letters of rwm, found \"" + access + "\"")
                .with_place(place_of(reader, "access"));
        }
    }
    return base::ok();
}

Result<cgroups::DeviceRule> read_device_rule(const JsonReader& reader) {
    constexpr base::Words<char, 4> kTypes{{{"a", 'a'}, {"b", 'b'}, {"c", 'c'}, {"", 'a'}}};
    cgroups::DeviceRule rule;
    rule.allow = TRY(flag(reader, "allow"));
    rule.type = TRY(base::read_word_or(reader, "type", kTypes, 'a'));
    rule.major = TRY(read_any_number(reader, "major", kMaxMajor));
    rule.minor = TRY(read_any_number(reader, "minor", kMaxMinor));
    TRY(read_access(reader, rule));
    return rule;
}

Result<cgroups::MemoryResources> read_memory(const JsonReader& reader) {
    cgroups::MemoryResources out;
    out.limit = TRY(reader.optional_integer("limit"));
    out.reservation = TRY(reader.optional_integer("reservation"));
    out.swap = TRY(reader.optional_integer("swap"));
    out.kernel = TRY(reader.optional_integer("kernel"));
    out.kernel_tcp = TRY(reader.optional_integer("kernelTCP"));
    out.swappiness = TRY(reader.optional_uint("swappiness"));
    out.disable_oom_killer = TRY(reader.optional_boolean("disableOOMKiller"));
    out.use_hierarchy = TRY(reader.optional_boolean("useHierarchy"));
    out.check_before_update = TRY(reader.optional_boolean("checkBeforeUpdate"));
    return out;
}

Result<cgroups::CpuResources> read_cpu(const JsonReader& reader) {
    cgroups::CpuResources out;
    out.shares = TRY(reader.optional_uint("shares"));
    out.quota = TRY(reader.optional_integer("quota"));
    out.burst = TRY(reader.optional_uint("burst"));
    out.period = TRY(reader.optional_uint("period"));
    out.realtime_runtime = TRY(reader.optional_integer("realtimeRuntime"));
    out.realtime_period = TRY(reader.optional_uint("realtimePeriod"));
    out.cpus = TRY(line(reader, "cpus"));
    out.mems = TRY(line(reader, "mems"));
    out.idle = TRY(reader.optional_integer("idle"));
    return out;
}

Result<std::vector<cgroups::ThrottleDevice>> read_throttles(const JsonReader& block_io,
                                                            const char* key) {
    std::vector<cgroups::ThrottleDevice> out;
    for (const auto& reader : TRY(block_io.objects(key))) {
        const auto device = TRY(read_device_number(reader));
        out.push_back({device.major, device.minor, TRY(reader.uint("rate"))});
    }
    return out;
}

Result<cgroups::BlockIoResources> read_block_io(const JsonReader& reader) {
    cgroups::BlockIoResources out;
    out.weight = TRY(optional_uint_of<std::uint16_t>(reader, "weight"));
    out.leaf_weight = TRY(optional_uint_of<std::uint16_t>(reader, "leafWeight"));
    for (const auto& entry : TRY(reader.objects("weightDevice"))) {
        const auto device = TRY(read_device_number(entry));
        cgroups::WeightDevice weight{device.major, device.minor, {}, {}};
        weight.weight = TRY(optional_uint_of<std::uint16_t>(entry, "weight"));
        weight.leaf_weight = TRY(optional_uint_of<std::uint16_t>(entry, "leafWeight"));
        out.weight_device.push_back(weight);
    }
    out.throttle_read_bps = TRY(read_throttles(reader, "throttleReadBpsDevice"));
    out.throttle_write_bps = TRY(read_throttles(reader, "throttleWriteBpsDevice"));
    out.throttle_read_iops = TRY(read_throttles(reader, "throttleReadIOPSDevice"));
    out.throttle_write_iops = TRY(read_throttles(reader, "throttleWriteIOPSDevice"));
    return out;
}

Result<std::vector<cgroups::HugepageLimit>> read_hugepages(const JsonReader& resources) {
    std::vector<cgroups::HugepageLimit> out;
    for (const auto& reader : TRY(resources.objects("hugepageLimits"))) {
        cgroups::HugepageLimit limit;
        limit.page_size = TRY(reader.string("pageSize"));
        TRY(refuse_control(limit.page_size, place_of(reader, "pageSize")));
        limit.limit = TRY(reader.uint("limit"));
        out.push_back(std::move(limit));
    }
    return out;
}

Result<std::map<std::string, cgroups::RdmaLimit>> read_rdma(const JsonReader& resources) {
    std::map<std::string, cgroups::RdmaLimit> out;
    for (const auto& entry : TRY(named_objects(resources, "rdma"))) {
        cgroups::RdmaLimit limit;
        limit.hca_handles = TRY(optional_uint_of<std::uint32_t>(entry.reader, "hcaHandles"));
        limit.hca_objects = TRY(optional_uint_of<std::uint32_t>(entry.reader, "hcaObjects"));
        if (!limit.hca_handles && !limit.hca_objects) {
            return base::usage_error("expected hcaHandles or hcaObjects, found neither")
                .with_place(entry.reader.pointer());
        }
        out.emplace(entry.name, limit);
    }
    return out;
}

Result<cgroups::NetworkResources> read_network(const JsonReader& reader) {
    cgroups::NetworkResources out;
    out.class_id = TRY(optional_uint_of<std::uint32_t>(reader, "classID"));
    for (const auto& entry : TRY(reader.objects("priorities"))) {
        cgroups::NetworkPriority priority;
        priority.name = TRY(entry.string("name"));
        priority.priority = TRY(uint_or<std::uint32_t>(entry, "priority", 0));
        out.priorities.push_back(std::move(priority));
    }
    return out;
}

}  // namespace

Result<cgroups::Resources> read_resources(const JsonReader& reader) {
    cgroups::Resources out;
    for (const auto& entry : TRY(reader.objects("devices"))) {
        out.devices.push_back(TRY(read_device_rule(entry)));
    }
    out.memory = TRY(read_memory(TRY(reader.object("memory"))));
    out.cpu = TRY(read_cpu(TRY(reader.object("cpu"))));
    out.pids_limit = TRY(TRY(reader.object("pids")).optional_integer("limit"));
    out.block_io = TRY(read_block_io(TRY(reader.object("blockIO"))));
    out.hugepage_limits = TRY(read_hugepages(reader));
    out.network = TRY(read_network(TRY(reader.object("network"))));
    out.rdma = TRY(read_rdma(reader));
    out.unified = TRY(reader.string_map("unified"));
    return out;
}

}  // namespace warren::spec::oci
