// linux.resources of the OCI runtime specification 1.2 as plain data, and what becomes of it on cgroup v2.
//
// The specification's values are those of cgroup v1, and engines send many of them always. So that nothing is
// dropped in silence, one row a value (0, empty and absent are no limit unless the row says otherwise):
//
//   cpu.shares                   cpu.weight = 1 + (shares - 2) * 9999 / 262142, shares within 2..262144; not written
//                                beside idle 1, with which the kernel takes no weight
//   cpu.quota, period            cpu.max "QUOTA PERIOD"; a quota below 0 is "max"; a quota alone keeps the period in
//                                force, a period alone the quota
//   cpu.burst                    cpu.max.burst; 0 is written where the kernel has the file
//   cpu.cpus, mems               cpuset.cpus, cpuset.mems
//   cpu.idle                     cpu.idle, 0 or 1; others refused
//   cpu.realtimeRuntime, Period  refused: v2 has no realtime groups
//   memory.limit                 memory.max; below 0 is "max", and then swap is "max" too unless given
//   memory.swap                  memory + swap: memory.swap.max = swap - limit; below 0 is "max"; less than the
//                                limit, or without a limit (none in force either): refused
//   memory.reservation           memory.low; below 0 is 0
//   memory.kernel, kernelTCP     refused above 0: v2 counts them in memory.max; below 0 is no limit
//   memory.swappiness            refused, 0 too: it is the host's (vm.swappiness)
//   memory.disableOOMKiller      true refused: v2 cannot; false is what v2 does
//   memory.useHierarchy          false refused: v2 always does; true is what v2 does
//   memory.checkBeforeUpdate     no knob: ContainerCgroup::apply() refuses a limit below what is in use
//   pids.limit                   pids.max; below 0 is "max"
//   blockIO.weight               io.bfq.weight as it is and io.weight = 1 + (weight - 10) * 9999 / 990, whichever
//                                the kernel has; outside of 10..1000 refused
//   blockIO.weightDevice         the same two files, "MAJ:MIN WEIGHT"
//   blockIO.leafWeight           refused, a device's too: v2 has no processes beside child cgroups
//   blockIO.throttle*            io.max, one line a device; a rate of 0 is "max"
//   hugepageLimits               hugetlb.SIZE.max and, where the kernel has it, hugetlb.SIZE.rsvd.max; 0 is a limit
//   rdma                         rdma.max, one line a device; an absent number is "max"
//   network.classID, priorities  refused: v2 has no net_cls and net_prio
//   unified                      written last, one write(2) a line. Names are "CONTROLLER.FILE" without '/'; of the
//                                core's own files only cgroup.max.* and cgroup.pressure
//   devices                      a device program, see device_rules()
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace warren::cgroups {

// One entry of linux.resources.devices. The defaults are those of the specification: all devices, all access.
struct DeviceRule {
    bool allow = false;
    char type = 'a';                            // 'a', 'b' or 'c'
    std::optional<std::uint32_t> major, minor;  // absent, and -1 in the file: any
    bool read = true, write = true, make = true;
    bool operator==(const DeviceRule&) const = default;
};

struct CpuResources {
    std::optional<std::uint64_t> shares;
    std::optional<std::int64_t> quota;  // microseconds
    std::optional<std::uint64_t> burst, period;
    std::optional<std::int64_t> realtime_runtime;
    std::optional<std::uint64_t> realtime_period;
    std::string cpus, mems;  // "0-3,7"
    std::optional<std::int64_t> idle;
    bool operator==(const CpuResources&) const = default;
};

struct MemoryResources {
    std::optional<std::int64_t> limit, reservation, swap, kernel, kernel_tcp;  // bytes
    std::optional<std::uint64_t> swappiness;
    std::optional<bool> disable_oom_killer, use_hierarchy, check_before_update;
    bool operator==(const MemoryResources&) const = default;
};

struct WeightDevice {
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    std::optional<std::uint16_t> weight, leaf_weight;
    bool operator==(const WeightDevice&) const = default;
};

struct ThrottleDevice {
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    std::uint64_t rate = 0;  // bytes or operations a second
    bool operator==(const ThrottleDevice&) const = default;
};

struct BlockIoResources {
    std::optional<std::uint16_t> weight, leaf_weight;
    std::vector<WeightDevice> weight_device;
    std::vector<ThrottleDevice> throttle_read_bps, throttle_write_bps;
    std::vector<ThrottleDevice> throttle_read_iops, throttle_write_iops;
    bool operator==(const BlockIoResources&) const = default;
};

struct HugepageLimit {
    std::string page_size;    // "2MB"
    std::uint64_t limit = 0;  // bytes
    bool operator==(const HugepageLimit&) const = default;
};

struct RdmaLimit {
    std::optional<std::uint32_t> hca_handles, hca_objects;
    bool operator==(const RdmaLimit&) const = default;
};

struct NetworkPriority {
    std::string name;
    std::uint32_t priority = 0;
    bool operator==(const NetworkPriority&) const = default;
};

struct NetworkResources {
    std::optional<std::uint32_t> class_id;
    std::vector<NetworkPriority> priorities;
    bool operator==(const NetworkResources&) const = default;
};

// A value as it stands in the file; an empty JSON object leaves its member here as it is by default: unset.
struct Resources {
    std::vector<DeviceRule> devices;  // in the file's order
    CpuResources cpu;
    MemoryResources memory;
    std::optional<std::int64_t> pids_limit;
    BlockIoResources block_io;
    std::vector<HugepageLimit> hugepage_limits;
    std::map<std::string, RdmaLimit> rdma;  // by device: "mlx5_1"
    NetworkResources network;
    std::map<std::string, std::string> unified;
    bool operator==(const Resources&) const = default;
};

// One write(2) to one file of a cgroup.
struct Knob {
    std::string controller;  // "memory"; "cgroup" for the core's own files
    std::string file;        // "memory.max"
    std::string value;
    // It takes a limit off, or another knob of the same limit is the one that must be there: an absent file is
    // success, and the controller is not needed.
    bool if_present = false;
    std::string place;  // the JSON pointer of what asks for it
    bool operator==(const Knob&) const = default;
};

// In the order in which a new cgroup takes them. Pure. Errors have kind Usage and as their place the JSON pointer of
// the value: `pointer` is where `resources` stands in its file, "/linux/resources" or "" (update --resources).
[[nodiscard]] base::Result<std::vector<Knob>> to_knobs(
    const Resources& resources, const std::string& pointer = "/linux/resources");

// The rules that the device program is made of: the specification's list and after it what every container may use,
// as runc and crun have it: mknod of anything, and null zero full random urandom tty console ptmx pts tun. The last
// rule that names a device and a kind of access decides; none: denied.
[[nodiscard]] std::vector<DeviceRule> device_rules(const Resources& resources);

}  // namespace warren::cgroups
