// /linux, but for its resources and seccomp.
#include <linux/mempolicy.h>
#include <sys/personality.h>

#include "runtime/spec/oci/parse.hpp"
#include "runtime/spec/oci/reading.hpp"

namespace warren::spec::oci {

namespace {

using base::JsonReader;
using base::Result;
using base::Status;
using isolation::Namespace;

constexpr base::Words<Namespace, 8> kNamespaces{{
    {"mount", Namespace::Mount},
    {"pid", Namespace::Pid},
    {"uts", Namespace::Uts},
    {"ipc", Namespace::Ipc},
    {"network", Namespace::Net},
    {"cgroup", Namespace::Cgroup},
    {"user", Namespace::User},
    {"time", Namespace::Time},
}};

constexpr base::Words<Device::Type, 4> kDeviceTypes{{
    {"c", Device::Type::Char},
    {"u", Device::Type::Char},
    {"b", Device::Type::Block},
    {"p", Device::Type::Fifo},
}};

// From Linux 6.9; older headers lack it.
constexpr int kWeightedInterleave = 6;

constexpr base::Words<int, 7> kMemoryModes{{
    {"MPOL_DEFAULT", MPOL_DEFAULT},
    {"MPOL_PREFERRED", MPOL_PREFERRED},
    {"MPOL_BIND", MPOL_BIND},
    {"MPOL_INTERLEAVE", MPOL_INTERLEAVE},
    {"MPOL_LOCAL", MPOL_LOCAL},
    {"MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY},
    {"MPOL_WEIGHTED_INTERLEAVE", kWeightedInterleave},
}};

constexpr base::Words<std::uint32_t, 3> kMemoryFlags{{
    {"MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING},
    {"MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES},
    {"MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES},
}};

constexpr base::Words<std::uint32_t, 2> kDomains{{
    {"LINUX", PER_LINUX},
    {"LINUX32", PER_LINUX32},
}};

Result<std::vector<NamespaceEntry>> read_namespaces(const JsonReader& linux) {
    std::vector<NamespaceEntry> out;
    for (const auto& reader : TRY(linux.objects("namespaces"))) {
        NamespaceEntry entry;
        entry.kind = TRY(base::read_word(reader, "type", kNamespaces));
        entry.path = TRY(text(reader, "path"));
        out.push_back(std::move(entry));
    }
    return out;
}

Status read_time_offsets(const JsonReader& reader, Linux& linux) {
    constexpr std::uint64_t kMaxNanoseconds = 999'999'999;
    for (const auto& entry : TRY(named_objects(reader, "timeOffsets"))) {
        if (entry.name != "monotonic" && entry.name != "boottime") {
            return base::usage_error("expected monotonic or boottime, found \"" + entry.name + "\"")
                .with_place(entry.reader.pointer());
        }
        TimeOffset offset;
        offset.seconds = TRY(entry.reader.optional_integer("secs")).value_or(0);
        offset.nanoseconds =
            TRY(uint_or<std::uint32_t>(entry.reader, "nanosecs", 0, kMaxNanoseconds));
        (entry.name == "monotonic" ? linux.monotonic : linux.boottime) = offset;
    }
    return base::ok();
}

Result<Device> read_device(const JsonReader& reader) {
    constexpr std::uint64_t kAnyMode = 0xffffffffU;
    constexpr std::uint64_t kPermissions = 07777;
    constexpr std::uint64_t kDefaultMode = 0666;
    Device out;
    out.path = TRY(reader.string("path"));
    out.type = TRY(base::read_word(reader, "type", kDeviceTypes));
    if (out.type != Device::Type::Fifo) {
        out.major = static_cast<std::uint32_t>(TRY(uint_up_to(reader, "major", kMaxMajor)));
        out.minor = static_cast<std::uint32_t>(TRY(uint_up_to(reader, "minor", kMaxMinor)));
    }
    // The file type's bits, which engines copy from stat(2), are the member `type`'s to say.
    const auto mode = TRY(optional_uint_up_to(reader, "fileMode", kAnyMode)).value_or(kDefaultMode);
    out.mode = static_cast<mode_t>(mode & kPermissions);
    out.uid = TRY(uint_or<std::uint32_t>(reader, "uid", 0, kMaxId));
    out.gid = TRY(uint_or<std::uint32_t>(reader, "gid", 0, kMaxId));
    return out;
}

Result<std::vector<NetDevice>> read_net_devices(const JsonReader& linux) {
    std::vector<NetDevice> out;
    for (const auto& entry : TRY(named_objects(linux, "netDevices"))) {
        NetDevice device{entry.name, TRY(line(entry.reader, "name"))};
        if (device.name.empty()) {
            device.name = device.host_name;
        }
        out.push_back(std::move(device));
    }
    return out;
}

Result<std::optional<IntelRdt>> read_intel_rdt(const JsonReader& linux) {
    const auto reader = TRY(section(linux, "intelRdt"));
    if (!reader) {
        return std::optional<IntelRdt>();
    }
    IntelRdt out;
    out.clos_id = TRY(line(*reader, "closID"));
    // May have several lines (config-linux.md speaks of its MB: lines).
    out.l3_cache_schema = TRY(text(*reader, "l3CacheSchema"));
    out.mem_bw_schema = TRY(line(*reader, "memBwSchema"));
    out.schemata = TRY(reader->strings("schemata"));
    for (std::size_t i = 0; i < out.schemata.size(); ++i) {
        TRY(refuse_control(out.schemata[i], place_of(*reader, "schemata", i)));
    }
    out.enable_cmt = TRY(flag(*reader, "enableCMT"));
    out.enable_mbm = TRY(flag(*reader, "enableMBM"));
    out.enable_monitoring = TRY(flag(*reader, "enableMonitoring"));
    return std::optional<IntelRdt>(std::move(out));
}

Result<std::optional<MemoryPolicy>> read_memory_policy(const JsonReader& linux) {
    constexpr std::uint32_t kHighestNode = 1023;
    const auto reader = TRY(section(linux, "memoryPolicy"));
    if (!reader) {
        return std::optional<MemoryPolicy>();
    }
    MemoryPolicy out;
    out.mode = TRY(base::read_word(*reader, "mode", kMemoryModes));
    out.flags = TRY(bits_of_words<std::uint32_t>(*reader, "flags", kMemoryFlags));
    if (const auto nodes = TRY(text(*reader, "nodes")); !nodes.empty()) {
        auto list = parse_number_list(nodes, kHighestNode);
        if (!list) {
            return std::move(list).error().with_place(place_of(*reader, "nodes"));
        }
        out.nodes = std::move(list).value();
    }
    return std::optional<MemoryPolicy>(std::move(out));
}

Result<std::optional<Propagation>> read_rootfs_propagation(const JsonReader& linux) {
    const auto word = TRY(text(linux, "rootfsPropagation"));
    if (word.empty()) {
        return std::optional<Propagation>();
    }
    const auto propagation = parse_propagation(word);
    if (!propagation) {
        return base::usage_error(
                   "expected [r]private, [r]shared, [r]slave or [r]unbindable, found \"" + word +
                   "\"")
            .with_place(place_of(linux, "rootfsPropagation"));
    }
    return propagation;
}

Result<std::optional<Personality>> read_personality(const JsonReader& linux) {
    const auto reader = TRY(section(linux, "personality"));
    if (!reader) {
        return std::optional<Personality>();
    }
    Personality out;
    out.domain = TRY(base::read_word(*reader, "domain", kDomains));
    if (!TRY(reader->strings("flags")).empty()) {
        return base::usage_error("the specification knows no flags of a personality")
            .with_place(place_of(*reader, "flags", 0));
    }
    return std::optional<Personality>(out);
}

Result<std::map<std::string, std::string>> read_sysctl(const JsonReader& linux) {
    auto out = TRY(linux.string_map("sysctl"));
    const auto reader = TRY(linux.object("sysctl"));
    for (const auto& [key, value] : out) {
        TRY(refuse_control(key, place_of(reader, key)));
    }
    return out;
}

}  // namespace

Result<Linux> read_linux(const JsonReader& reader) {
    Linux linux;
    linux.namespaces = TRY(read_namespaces(reader));
    linux.ids = TRY(read_id_map(reader));
    TRY(read_time_offsets(reader, linux));
    for (const auto& device : TRY(reader.objects("devices"))) {
        linux.devices.push_back(TRY(read_device(device)));
    }
    linux.net_devices = TRY(read_net_devices(reader));
    linux.cgroups_path = TRY(line(reader, "cgroupsPath"));
    if (const auto resources = TRY(section(reader, "resources"))) {
        linux.resources = TRY(read_resources(*resources));
    }
    linux.intel_rdt = TRY(read_intel_rdt(reader));
    linux.memory_policy = TRY(read_memory_policy(reader));
    linux.sysctl = TRY(read_sysctl(reader));
    linux.seccomp = TRY(read_seccomp(reader));
    linux.rootfs_propagation = TRY(read_rootfs_propagation(reader));
    linux.masked_paths = TRY(reader.strings("maskedPaths"));
    linux.readonly_paths = TRY(reader.strings("readonlyPaths"));
    linux.mount_label = TRY(line(reader, "mountLabel"));
    linux.personality = TRY(read_personality(reader));
    return linux;
}

}  // namespace warren::spec::oci
