#include "cgroups/resources.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "cgroups/limits.hpp"
#include "cgroups/limits_parse.hpp"

namespace warren::cgroups {

namespace {

constexpr const char* kUnlimited = "max";

// Writes gathered for one object of the configuration, with the place for its errors.
class Section {
public:
    Section(std::vector<Knob>& knobs, std::string pointer)
        : knobs_(knobs), pointer_(std::move(pointer)) {}

    void add(const std::string& member,
             std::string file,
             std::string value,
             bool if_present = false) {
        auto controller = file.substr(0, file.find('.'));
        knobs_.push_back({std::move(controller),
                          std::move(file),
                          std::move(value),
                          if_present,
                          pointer_ + "/" + member});
    }

    // A number, or below 0: no limit.
    void add_limit(const std::string& member, std::string file, std::int64_t value) {
        add(member, std::move(file), value < 0 ? kUnlimited : std::to_string(value), value < 0);
    }

    [[nodiscard]] base::Error refuse(const std::string& member, std::string text) const {
        return base::usage_error(std::move(text)).with_place(pointer_ + "/" + member);
    }

private:
    std::vector<Knob>& knobs_;
    std::string pointer_;
};

// JSON pointers escape what they use (RFC 6901).
std::string escape(const std::string& name) {
    std::string out;
    for (const char c : name) {
        if (c == '~') {
            out += "~0";
        } else if (c == '/') {
            out += "~1";
        } else {
            out += c;
        }
    }
    return out;
}

template <typename T>
bool is_set(const std::optional<T>& value) {
    return value && *value != 0;
}

std::uint64_t cpu_weight(std::uint64_t shares) {
    constexpr std::uint64_t kSharesMin = 2;
    constexpr std::uint64_t kSharesMax = 262'144;
    const auto within = std::clamp(shares, kSharesMin, kSharesMax);
    return 1 + (within - kSharesMin) * (kWeightMax - kWeightMin) / (kSharesMax - kSharesMin);
}

base::Status plan_bandwidth(const CpuResources& cpu, Section& section) {
    // What the kernel takes, in microseconds.
    constexpr std::int64_t kQuotaMin = 1'000;
    constexpr std::uint64_t kPeriodMin = 1'000;
    constexpr std::uint64_t kPeriodMax = 1'000'000;
    const bool has_quota = is_set(cpu.quota);
    const bool has_period = is_set(cpu.period);
    if (has_period && (*cpu.period < kPeriodMin || *cpu.period > kPeriodMax)) {
        return section.refuse("period", "cpu period is not within 1000 to 1000000 microseconds");
    }
    const bool bounded = has_quota && *cpu.quota > 0;
    if (bounded && *cpu.quota < kQuotaMin) {
        return section.refuse("quota", "cpu quota is below 1000 microseconds");
    }
    if (bounded && cpu.burst && *cpu.burst > static_cast<std::uint64_t>(*cpu.quota)) {
        return section.refuse("burst", "cpu burst is larger than the quota");
    }
    if (has_quota || has_period) {
        const auto quota = bounded ? std::to_string(*cpu.quota) : kUnlimited;
        const auto period = has_period ? " " + std::to_string(*cpu.period) : "";
        section.add(has_quota ? "quota" : "period", "cpu.max", quota + period, !bounded);
    }
    if (cpu.burst) {
        section.add("burst", "cpu.max.burst", std::to_string(*cpu.burst), *cpu.burst == 0);
    }
    return base::ok();
}

base::Status plan_cpuset(const char* member, const std::string& list, Section& section) {
    if (list.empty()) {
        return base::ok();
    }
    const auto parsed = parse_cpuset(list);
    if (!parsed || parsed.value().empty()) {
        return section.refuse(member, "invalid list \"" + list + "\": expected one like 0-1,3");
    }
    section.add(member, std::string("cpuset.") + member, parsed.value());
    return base::ok();
}

base::Status plan_cpu(const CpuResources& cpu, Section section) {
    if (is_set(cpu.realtime_runtime)) {
        return section.refuse("realtimeRuntime", "cgroup v2 has no realtime groups");
    }
    if (is_set(cpu.realtime_period)) {
        return section.refuse("realtimePeriod", "cgroup v2 has no realtime groups");
    }
    if (cpu.idle && *cpu.idle != 0 && *cpu.idle != 1) {
        return section.refuse("idle", "cpu idle is neither 0 nor 1");
    }
    if (cpu.idle) {
        section.add("idle", "cpu.idle", std::to_string(*cpu.idle), *cpu.idle == 0);
    }
    if (is_set(cpu.shares) && !is_set(cpu.idle)) {
        section.add("shares", "cpu.weight", std::to_string(cpu_weight(*cpu.shares)));
    }
    TRY(plan_bandwidth(cpu, section));
    TRY(plan_cpuset("cpus", cpu.cpus, section));
    return plan_cpuset("mems", cpu.mems, section);
}

base::Status plan_swap(const MemoryResources& memory, Section& section) {
    const auto limit = memory.limit.value_or(0);
    const auto swap = memory.swap.value_or(0);
    if (swap < 0 || (swap == 0 && limit < 0)) {
        section.add(swap < 0 ? "swap" : "limit", "memory.swap.max", kUnlimited, true);
        return base::ok();
    }
    if (swap == 0) {
        return base::ok();
    }
    if (limit <= 0) {
        return section.refuse("swap", "a limit of memory and swap needs a limit of memory");
    }
    if (swap < limit) {
        return section.refuse("swap",
                              "the limit of memory and swap, " + std::to_string(swap) +
                                  ", is below that of memory, " + std::to_string(limit));
    }
    // No swap at all is also what a kernel without its accounting, or without swap, is asked for.
    section.add("swap", "memory.swap.max", std::to_string(swap - limit), swap == limit);
    return base::ok();
}

base::Status plan_memory(const MemoryResources& memory, Section section) {
    if (memory.kernel.value_or(0) > 0) {
        return section.refuse("kernel", "cgroup v2 has no limit of kernel memory alone");
    }
    if (memory.kernel_tcp.value_or(0) > 0) {
        return section.refuse("kernelTCP", "cgroup v2 has no limit of tcp buffers alone");
    }
    if (memory.swappiness) {
        return section.refuse("swappiness", "cgroup v2 has no swappiness of its own");
    }
    if (memory.disable_oom_killer.value_or(false)) {
        return section.refuse("disableOOMKiller", "cgroup v2 cannot disable the oom killer");
    }
    if (!memory.use_hierarchy.value_or(true)) {
        return section.refuse("useHierarchy", "cgroup v2 always counts the whole subtree");
    }
    if (is_set(memory.reservation)) {
        const auto low = std::max<std::int64_t>(*memory.reservation, 0);
        section.add("reservation", "memory.low", std::to_string(low), low == 0);
    }
    if (is_set(memory.limit)) {
        section.add_limit("limit", "memory.max", *memory.limit);
    }
    return plan_swap(memory, section);
}

// The weight of v1, which bfq has kept, and iocost's.
base::Status plan_weight(std::uint16_t weight,
                         const std::string& device,
                         const std::string& member,
                         Section& section) {
    constexpr std::uint32_t kMin = 10;
    constexpr std::uint32_t kBlkioMax = 1'000;
    constexpr std::uint32_t kSpan = 9'999;
    if (weight < kMin || weight > kBlkioMax) {
        return section.refuse(
            member, "block io weight " + std::to_string(weight) + " is not within 10 to 1000");
    }
    const auto io_weight = 1 + (weight - kMin) * kSpan / (kBlkioMax - kMin);
    section.add(member, "io.bfq.weight", device + " " + std::to_string(weight), true);
    section.add(member, "io.weight", device + " " + std::to_string(io_weight), true);
    return base::ok();
}

base::Status plan_weights(const BlockIoResources& io, Section& section) {
    constexpr const char* kLeaf = "cgroup v2 has no leaf weight";
    if (is_set(io.leaf_weight)) {
        return section.refuse("leafWeight", kLeaf);
    }
    if (is_set(io.weight)) {
        TRY(plan_weight(*io.weight, "default", "weight", section));
    }
    for (std::size_t i = 0; i < io.weight_device.size(); ++i) {
        const WeightDevice& device = io.weight_device[i];
        const auto member = "weightDevice/" + std::to_string(i);
        if (is_set(device.leaf_weight)) {
            return section.refuse(member + "/leafWeight", kLeaf);
        }
        if (is_set(device.weight)) {
            const auto number = std::to_string(device.major) + ":" + std::to_string(device.minor);
            TRY(plan_weight(*device.weight, number, member + "/weight", section));
        }
    }
    return base::ok();
}

void plan_throttle(const BlockIoResources& io, Section& section) {
    struct Line {
        std::string text;
        bool binds = false;
        std::string member;  // the first that binds
    };

    std::map<std::pair<std::uint32_t, std::uint32_t>, Line> lines;
    const auto gather = [&lines](const std::vector<ThrottleDevice>& devices,
                                 const char* key,
                                 const std::string& member) {
        for (std::size_t i = 0; i < devices.size(); ++i) {
            const ThrottleDevice& device = devices[i];
            Line& line = lines[{device.major, device.minor}];
            if (line.member.empty() || (!line.binds && device.rate != 0)) {
                line.member = member + "/" + std::to_string(i);
            }
            const auto rate = device.rate == 0 ? kUnlimited : std::to_string(device.rate);
            line.text += std::string(" ") + key + "=" + rate;
            line.binds = line.binds || device.rate != 0;
        }
    };
    gather(io.throttle_read_bps, "rbps", "throttleReadBpsDevice");
    gather(io.throttle_write_bps, "wbps", "throttleWriteBpsDevice");
    gather(io.throttle_read_iops, "riops", "throttleReadIOPSDevice");
    gather(io.throttle_write_iops, "wiops", "throttleWriteIOPSDevice");
    for (const auto& [device, line] : lines) {
        section.add(line.member,
                    "io.max",
                    std::to_string(device.first) + ":" + std::to_string(device.second) + line.text,
                    !line.binds);
    }
}

base::Status plan_hugepages(const std::vector<HugepageLimit>& limits, Section section) {
    for (std::size_t i = 0; i < limits.size(); ++i) {
        const HugepageLimit& limit = limits[i];
        if (!is_page_size_name(limit.page_size)) {
            return section.refuse(
                std::to_string(i) + "/pageSize",
                "invalid huge page size \"" + limit.page_size + "\": expected one like 2MB");
        }
        const bool none = limit.limit == UINT64_MAX;
        const auto value = none ? kUnlimited : std::to_string(limit.limit);
        const auto stem = "hugetlb." + limit.page_size;
        // The limit on reservations (5.7) makes mmap(2) fail; without it the first touch is SIGBUS.
        section.add(std::to_string(i), stem + ".rsvd.max", value, true);
        section.add(std::to_string(i), stem + ".max", value, none);
    }
    return base::ok();
}

base::Status plan_rdma(const std::map<std::string, RdmaLimit>& devices, Section section) {
    for (const auto& [name, limit] : devices) {
        if (name.empty() || name.find_first_of(" \t\n") != std::string::npos) {
            return section.refuse(escape(name), "invalid rdma device \"" + name + "\"");
        }
        const auto text = [](const std::optional<std::uint32_t>& number) {
            return number ? std::to_string(*number) : std::string(kUnlimited);
        };
        section.add(escape(name),
                    "rdma.max",
                    name + " hca_handle=" + text(limit.hca_handles) +
                        " hca_object=" + text(limit.hca_objects),
                    !limit.hca_handles && !limit.hca_objects);
    }
    return base::ok();
}

base::Status plan_network(const NetworkResources& network, const Section& section) {
    if (is_set(network.class_id)) {
        return section.refuse("classID", "cgroup v2 has no net_cls controller");
    }
    if (!network.priorities.empty()) {
        return section.refuse("priorities", "cgroup v2 has no net_prio controller");
    }
    return base::ok();
}

bool is_knob_name(const std::string& name) {
    constexpr const char* kLetters =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    const auto dot = name.find('.');
    return dot != std::string::npos && dot != 0 && !name.ends_with('.') &&
           name.find("..") == std::string::npos &&
           name.find_first_not_of(kLetters) == std::string::npos;
}

// Of the files that are every cgroup's: what bounds or watches. The others move, kill and freeze
// processes, which is the runtime's to do.
bool is_core_limit(const std::string& name) {
    return name == "cgroup.max.depth" || name == "cgroup.max.descendants" ||
           name == "cgroup.pressure";
}

base::Status plan_unified(const std::map<std::string, std::string>& unified, Section section) {
    for (const auto& [name, value] : unified) {
        if (!is_knob_name(name)) {
            return section.refuse(escape(name),
                                  "invalid file name \"" + name + "\": expected CONTROLLER.FILE");
        }
        if (name.starts_with("cgroup.") && !is_core_limit(name)) {
            return section.refuse(escape(name), "file " + name + " is not a limit");
        }
        // The kernel takes one line a write.
        std::size_t start = 0;
        do {
            const auto end = std::min(value.find('\n', start), value.size());
            if (end != start || value.empty()) {
                const auto line = value.substr(start, end - start);
                // A write of no bytes never reaches the kernel's handler.
                section.add(escape(name), name, line.empty() ? "\n" : line, line == kUnlimited);
            }
            start = end + 1;
        } while (start < value.size());
    }
    return base::ok();
}

base::Status plan_pids(const std::optional<std::int64_t>& limit, Section section) {
    if (!is_set(limit)) {
        return base::ok();
    }
    if (*limit > static_cast<std::int64_t>(kPidsMax)) {
        return section.refuse("limit", "pids limit is above " + std::to_string(kPidsMax));
    }
    section.add_limit("limit", "pids.max", *limit);
    return base::ok();
}

}  // namespace

base::Result<std::vector<Knob>> to_knobs(const Resources& resources, const std::string& pointer) {
    std::vector<Knob> knobs;
    const auto section = [&knobs, &pointer](const char* member) {
        return Section(knobs, pointer + "/" + member);
    };
    TRY(plan_pids(resources.pids_limit, section("pids")));
    TRY(plan_cpu(resources.cpu, section("cpu")));
    TRY(plan_memory(resources.memory, section("memory")));
    auto io = section("blockIO");
    TRY(plan_weights(resources.block_io, io));
    plan_throttle(resources.block_io, io);
    TRY(plan_hugepages(resources.hugepage_limits, section("hugepageLimits")));
    TRY(plan_rdma(resources.rdma, section("rdma")));
    TRY(plan_network(resources.network, section("network")));
    TRY(plan_unified(resources.unified, section("unified")));
    return knobs;
}

std::vector<DeviceRule> device_rules(const Resources& resources) {
    struct Device {
        std::uint32_t major;
        std::optional<std::uint32_t> minor;
    };

    static constexpr std::array kDevices = {Device{1, 3},               // null
                                            Device{1, 5},               // zero
                                            Device{1, 7},               // full
                                            Device{1, 8},               // random
                                            Device{1, 9},               // urandom
                                            Device{5, 0},               // tty
                                            Device{5, 1},               // console
                                            Device{5, 2},               // ptmx
                                            Device{136, std::nullopt},  // pts
                                            Device{10, 200}};           // tun
    auto rules = resources.devices;
    for (const char type : {'c', 'b'}) {
        rules.push_back({true, type, std::nullopt, std::nullopt, false, false, true});
    }
    for (const Device& device : kDevices) {
        rules.push_back({true, 'c', device.major, device.minor, true, true, true});
    }
    return rules;
}

}  // namespace warren::cgroups
