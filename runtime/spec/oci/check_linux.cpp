// /linux, but for sysctl.
#include <algorithm>
#include <set>

#include <linux/mempolicy.h>
#include <net/if.h>

#include "runtime/spec/oci/checks.hpp"

namespace warren::spec::oci {

namespace {

using isolation::IdRange;
using isolation::Namespace;

void check_namespaces(const Linux& linux, Problems& problems) {
    std::set<Namespace> seen;
    for (std::size_t i = 0; i < linux.namespaces.size(); ++i) {
        const auto& entry = linux.namespaces[i];
        const auto pointer = "/linux/namespaces/" + std::to_string(i);
        if (!seen.insert(entry.kind).second) {
            add(problems, pointer + "/type", "given twice");
        }
        if (!entry.path.empty()) {
            require_absolute(problems, entry.path, pointer + "/path");
        }
    }
}

// The kernel refuses a map in which an id occurs twice, on either side.
bool overlap(std::vector<IdRange> ranges, std::uint32_t IdRange::*start) {
    std::sort(ranges.begin(), ranges.end(), [start](const IdRange& a, const IdRange& b) {
        return a.*start < b.*start;
    });
    return std::adjacent_find(
               ranges.begin(), ranges.end(), [start](const IdRange& a, const IdRange& b) {
                   return std::uint64_t{a.*start} + a.count > b.*start;
               }) != ranges.end();
}

void check_id_ranges(const Linux& linux,
                     const std::vector<IdRange>& ranges,
                     const std::string& pointer,
                     Problems& problems) {
    if (!ranges.empty() && linux.find(Namespace::User) == nullptr) {
        add(problems, pointer, "needs a namespace of type user");
    }
    if (ranges.empty() && linux.is_new(Namespace::User)) {
        add(problems, pointer, "a new user namespace needs maps of ids");
    }
    if (overlap(ranges, &IdRange::inside) || overlap(ranges, &IdRange::outside)) {
        add(problems, pointer, "an id is mapped twice");
    }
}

void check_time(const Linux& linux, Problems& problems) {
    if (!linux.monotonic && !linux.boottime) {
        return;
    }
    if (linux.is_joined(Namespace::Time)) {
        add(problems,
            "/linux/timeOffsets",
            "the clocks of a namespace that is joined stay as they are");
    } else if (!linux.is_new(Namespace::Time)) {
        add(problems, "/linux/timeOffsets", "needs a namespace of type time");
    }
}

void check_devices(const Linux& linux, Problems& problems) {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < linux.devices.size(); ++i) {
        const auto& path = linux.devices[i].path;
        const auto pointer = "/linux/devices/" + std::to_string(i) + "/path";
        require_absolute(problems, path, pointer);
        if (path.ends_with('/')) {
            add(problems, pointer, "names a directory: \"" + path + "\"");
        }
        if (!seen.insert(path).second) {
            add(problems, pointer, "given twice: \"" + path + "\"");
        }
    }
}

bool is_interface_name(const std::string& name) {
    return !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." &&
           name.find_first_of("/: ") == std::string::npos;
}

void check_net_devices(const Linux& linux, Problems& problems) {
    std::set<std::string> seen;
    if (!linux.net_devices.empty() && linux.find(Namespace::Net) == nullptr) {
        add(problems, "/linux/netDevices", "needs a namespace of type network");
    }
    for (const auto& device : linux.net_devices) {
        const auto pointer = "/linux/netDevices/" + device.host_name;
        if (!is_interface_name(device.host_name)) {
            add(problems,
                "/linux/netDevices",
                "no name of an interface: \"" + device.host_name + "\"");
        } else if (!is_interface_name(device.name)) {
            add(problems, pointer + "/name", "no name of an interface: \"" + device.name + "\"");
        } else if (!seen.insert(device.name).second) {
            add(problems, pointer + "/name", "given twice: \"" + device.name + "\"");
        }
    }
}

void check_cgroups_path(const Linux& linux, Problems& problems) {
    if (("/" + linux.cgroups_path + "/").find("/../") != std::string::npos) {
        add(problems, "/linux/cgroupsPath", "a path with \"..\" in it");
    }
}

void check_intel_rdt(const IntelRdt& rdt, Problems& problems) {
    if (rdt.clos_id == "." || rdt.clos_id == ".." || rdt.clos_id.find('/') != std::string::npos) {
        add(problems, "/linux/intelRdt/closID", "no name of a group: \"" + rdt.clos_id + "\"");
    }
    if (!rdt.mem_bw_schema.empty() && !rdt.mem_bw_schema.starts_with("MB:")) {
        add(problems, "/linux/intelRdt/memBwSchema", "expected MB:...");
    }
}

void check_memory_policy(const MemoryPolicy& policy, Problems& problems) {
    constexpr auto kBoth = std::uint32_t{MPOL_F_RELATIVE_NODES} | MPOL_F_STATIC_NODES;
    const bool no_nodes = policy.mode == MPOL_DEFAULT || policy.mode == MPOL_LOCAL;
    const bool may_have_none = no_nodes || policy.mode == MPOL_PREFERRED;
    const std::string at = "/linux/memoryPolicy";
    if (no_nodes && !policy.nodes.empty()) {
        add(problems, at + "/nodes", "this mode takes no nodes");
    }
    if (!may_have_none && policy.nodes.empty()) {
        add(problems, at + "/nodes", "this mode needs nodes");
    }
    if ((policy.flags & kBoth) == kBoth) {
        add(problems,
            at + "/flags",
            "MPOL_F_RELATIVE_NODES and MPOL_F_STATIC_NODES exclude each other");
    }
    if (policy.flags != 0 && policy.nodes.empty()) {
        add(problems, at + "/flags", "flags need nodes");
    }
}

void check_seccomp(const Seccomp& seccomp, Problems& problems) {
    const std::string at = "/linux/seccomp";
    if (!seccomp.listener_path.empty()) {
        require_absolute(problems, seccomp.listener_path, at + "/listenerPath");
    } else if (seccomp.notifies) {
        add(problems, at + "/listenerPath", "SCMP_ACT_NOTIFY needs a listener");
    } else if (!seccomp.listener_metadata.empty()) {
        add(problems, at + "/listenerMetadata", "needs listenerPath");
    }
}

void check_covered_paths(const Linux& linux, Problems& problems) {
    require_all_absolute(problems, linux.masked_paths, "/linux/maskedPaths");
    require_all_absolute(problems, linux.readonly_paths, "/linux/readonlyPaths");
    if (linux.find(Namespace::Mount) != nullptr) {
        return;
    }
    if (!linux.masked_paths.empty()) {
        add(problems, "/linux/maskedPaths", "needs a namespace of type mount");
    }
    if (!linux.readonly_paths.empty()) {
        add(problems, "/linux/readonlyPaths", "needs a namespace of type mount");
    }
}

}  // namespace

void check_linux(const Config& config, Problems& problems) {
    const auto& linux = config.linux;
    check_namespaces(linux, problems);
    check_id_ranges(linux, linux.ids.uids, "/linux/uidMappings", problems);
    check_id_ranges(linux, linux.ids.gids, "/linux/gidMappings", problems);
    check_time(linux, problems);
    check_devices(linux, problems);
    check_net_devices(linux, problems);
    check_cgroups_path(linux, problems);
    if (linux.intel_rdt) {
        check_intel_rdt(*linux.intel_rdt, problems);
    }
    if (linux.memory_policy) {
        check_memory_policy(*linux.memory_policy, problems);
    }
    check_sysctl(linux, problems);
    if (linux.seccomp) {
        check_seccomp(*linux.seccomp, problems);
    }
    check_covered_paths(linux, problems);
}

}  // namespace warren::spec::oci
