// From a config, what was looked up for it, and what the host is, to what is to be made. Pure: no system call, same
// input, same plan.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cgroups/placement.hpp"
#include "cgroups/resources.hpp"
#include "isolation/container.hpp"
#include "isolation/seccomp.hpp"
#include "runtime/spec/oci/config.hpp"

namespace warren::engine::oci {

// What the host and the command line add to the config.
struct Site {
    std::string id;
    std::string bundle;        // absolute
    std::string cgroup_mount;  // of the v2 tree
    bool systemd_cgroup = false;
    bool cgroup_disabled = false;
    bool rootless = false;
    bool clones_mounts =
        true;  // open_tree(2) with OPEN_TREE_CLONE is ours to do; else the child does it
    bool mounts_by_age = false;  // the kernel lists mounts by when they were made
    bool makes_nodes = true;     // mknod(2) of devices is
    bool apparmor = false;
    bool apparmor_profile_missing = false;  // the process's is not loaded
    bool selinux = false;
    bool no_pivot = false;
    bool no_new_keyring = false;
    std::uint32_t preserve_fds = 0;
    std::uint32_t listen_fds = 0;
    std::string notify_directory;    // what the container gets at /run/notify; empty: nobody waits
    std::uint64_t capabilities = 0;  // that can be had at all: the kernel's and our bounding set's
};

// What was looked up for one mount of the config.
struct MountLookup {
    std::string source;  // of a bind: absolute
    bool is_directory = true;
    std::optional<std::string> link_target;  // with copy-symlink, when the source is a link
};

struct Lookups {
    std::string rootfs;               // absolute, without links
    std::vector<MountLookup> mounts;  // in the config's order
    std::string home = "/";           // of process.user
    std::vector<isolation::JoinedNamespace> joined;
};

// One descriptor of the release, in the order of the slots.
struct SlotSource {
    enum class Kind : std::uint8_t {
        Root,         // `path`, with all below it
        Bind,         // `path`
        Device,       // `path`, which must be the node `type`, `major`, `minor`
        HookState,    // the state of the container
        StartSocket,  // listens
    };
    enum class Ids : std::uint8_t {
        Same,
        Container,  // by the container's user namespace
        Own,        // by `map`
    };
    Kind kind = Kind::Bind;
    std::string path;
    std::string place;  // in the config
    bool recursive = false;
    bool follow = true;  // a link at the end of the path
    Ids ids = Ids::Same;
    bool ids_recursive = false;
    isolation::IdMap map;
    isolation::ContainerDevice::Type type = isolation::ContainerDevice::Type::Char;
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    bool operator==(const SlotSource&) const = default;
};

struct ContainerPlan {
    isolation::ContainerSpec container;
    std::vector<SlotSource> slots;
    std::optional<cgroups::PlacementRequest> placement;  // absent: no cgroup of its own
    cgroups::Resources resources;
    bool delegates_cgroup = false;  // the container's root gets its cgroup
    std::optional<isolation::SeccompConfig> seccomp;
    std::vector<std::string> warnings;
};

// Errors have the JSON pointer as their place: Usage for a wish that contradicts itself, Unsupported for one that
// is not done, or not on this host.
[[nodiscard]] base::Result<ContainerPlan> plan_container(const spec::oci::Config& config,
                                                         const Lookups& lookups,
                                                         const Site& site);

// The process alone: for create and exec. `at` is "/process" or "".
struct ProcessPlan {
    isolation::ContainerProcess process;
    std::vector<std::string> warnings;
};

[[nodiscard]] base::Result<ProcessPlan> plan_process(const spec::oci::Process& process,
                                                     const std::string& home,
                                                     const Site& site,
                                                     const std::string& at);

// The filter of the config; nullopt: none.
[[nodiscard]] std::optional<isolation::SeccompConfig> plan_seccomp(const spec::oci::Config& config);

// Whether a mount of the config is a bind, and of which kind.
[[nodiscard]] bool is_bind(const spec::oci::Mount& mount);

}  // namespace warren::engine::oci
