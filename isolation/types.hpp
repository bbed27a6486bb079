// The values that describe a guest's walls. Nothing here touches the kernel; plan.hpp turns them into a recipe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace warren::isolation {

// namespaces(7). The bit order is ours; clone_flags() translates.
enum class Namespace : std::uint8_t { Mount, Pid, Uts, Ipc, Net, Cgroup, User, Time };

class NamespaceSet {
public:
    [[nodiscard]] static NamespaceSet all() { return NamespaceSet(0xff); }

    [[nodiscard]] static NamespaceSet none() { return NamespaceSet(0); }

    [[nodiscard]] bool has(Namespace ns) const { return (bits_ & bit(ns)) != 0; }

    void add(Namespace ns) { bits_ = static_cast<std::uint8_t>(bits_ | bit(ns)); }

    void remove(Namespace ns) { bits_ = static_cast<std::uint8_t>(bits_ & ~bit(ns)); }

    // CLONE_NEW* bits, as clone3(2) and setns(2) take them.
    [[nodiscard]] std::uint64_t clone_flags() const;
    // "mount uts net"
    [[nodiscard]] std::string names() const;
    bool operator==(const NamespaceSet&) const = default;

private:
    explicit NamespaceSet(std::uint8_t bits) : bits_(bits) {}

    static std::uint8_t bit(Namespace ns) {
        return static_cast<std::uint8_t>(1U << static_cast<unsigned>(ns));
    }

    std::uint8_t bits_;
};

// One extent of user_namespaces(7): `count` ids from `inside` are `outside` on the host.
struct IdRange {
    std::uint32_t inside = 0;
    std::uint32_t outside = 0;
    std::uint32_t count = 0;
    bool operator==(const IdRange&) const = default;
};

struct IdMap {
    std::vector<IdRange> uids;
    std::vector<IdRange> gids;
    [[nodiscard]] static IdMap contiguous(std::uint32_t host_base, std::uint32_t count);
    // The text of /proc/PID/uid_map.
    [[nodiscard]] static std::string text(const std::vector<IdRange>& ranges);
    bool operator==(const IdMap&) const = default;
};

// time_namespaces(7): what is added to a clock inside.
struct TimeOffset {
    bool boottime = false;  // else monotonic
    std::int64_t seconds = 0;
    std::uint32_t nanoseconds = 0;  // below 1,000,000,000, added even to negative seconds
    bool operator==(const TimeOffset&) const = default;
};

// The five sets of capabilities(7), as bit masks (bit N is capability N).
struct CapSets {
    std::uint64_t bounding = 0;
    std::uint64_t effective = 0;
    std::uint64_t permitted = 0;
    std::uint64_t inheritable = 0;
    std::uint64_t ambient = 0;
    bool operator==(const CapSets&) const = default;
};

struct Rlimit {
    int resource = 0;  // RLIMIT_*
    std::uint64_t soft = 0;
    std::uint64_t hard = 0;
    bool best_effort =
        false;  // a default: where the host refuses to raise that far, what it allows will do
    bool operator==(const Rlimit&) const = default;
};

// A device node the guest may have; the same list feeds the nodes in /dev and the cgroup's device program.
struct DeviceRule {
    enum class Type : std::uint8_t { Char, Block };
    Type type = Type::Char;
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    bool any_minor = false;  // ptys: the node is made by its own file system
    bool read = true;
    bool write = true;
    bool make = false;  // mknod(2)
    std::string path;   // "/dev/null"; empty: a rule without a node
    mode_t mode = 0666;
    bool operator==(const DeviceRule&) const = default;
};

// One mount inside the guest, made in this order. Targets are absolute in the guest; links in them are followed
// inside the guest's root only.
struct MountSpec {
    enum class Kind : std::uint8_t {
        FileSystem,  // a new instance: proc, sysfs, tmpfs, devpts, mqueue, cgroup2
        Bind,  // a detached mount the parent opened before; `slot` says which descriptor of the release
    };
    Kind kind = Kind::FileSystem;
    std::string target;
    std::string fs_type;  // FileSystem
    std::vector<std::pair<std::string, std::string>>
        options;                   // fsconfig(2); an empty value is a flag
    std::uint64_t attributes = 0;  // MOUNT_ATTR_*
    bool attributes_recursive = false;
    std::uint32_t slot = 0;    // Bind: index among the released descriptors
    bool is_directory = true;  // what to make when the target is missing
    bool optional = false;     // a failure is a note, not an error
    bool operator==(const MountSpec&) const = default;
};

// What becomes of standard input, output and error.
enum class Stdio : std::uint8_t {
    Given,     // three descriptors handed to the launcher
    Terminal,  // a new pty of the guest's own devpts; its master comes back to the parent
};

struct WindowSize {
    std::uint16_t rows = 24;
    std::uint16_t columns = 80;
    bool operator==(const WindowSize&) const = default;
};

// A process to run inside the walls: a guest's init, its command, or an exec.
struct ProcessSpec {
    std::vector<std::string> argv;  // argv[0] without '/' is looked up in PATH of `env`
    std::vector<std::string> env;   // "K=V"
    std::string cwd = "/";
    std::uint32_t uid = 0;  // guest ids
    std::uint32_t gid = 0;
    std::vector<std::uint32_t> additional_gids;
    std::optional<mode_t> umask;
    CapSets capabilities;
    std::vector<Rlimit> rlimits;
    bool no_new_privs = false;
    std::optional<int> oom_score_adj;
    Stdio stdio = Stdio::Given;
    WindowSize window;
    bool console_device = false;  // Terminal: bind the pty at /dev/console as well
    bool operator==(const ProcessSpec&) const = default;
};

}  // namespace warren::isolation
