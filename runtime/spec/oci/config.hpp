// A bundle's config.json: the values of the OCI runtime specification 1.2 for Linux (config.md,
// config-linux.md), with what 1.3 added for Linux (netDevices, memoryPolicy, intelRdt.schemata).
// Values only: parse.hpp fills them, check.hpp judges them. What the document leaves out, sets to
// null or gives as an empty object is nullopt, empty or the default here.
//
// Members of other platforms:
//   /solaris /windows /zos        left alone: the spec lets a document carry several platforms' sections
//   /process/commandLine, /process/user/username   left alone: Windows' own
//   /vm                           refused: it asks for a wall that is not there, on this platform
//   members the spec does not know   left alone, as it demands
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "cgroups/resources.hpp"
#include "isolation/types.hpp"
#include "runtime/spec/oci/mount_options.hpp"

namespace warren::spec::oci {

// What `state`, `features` and our own documents say.
inline constexpr std::string_view kOciVersion = "1.2.1";

struct User {
    std::uint32_t uid = 0;  // of the container's user namespace, as are the others
    std::uint32_t gid = 0;
    std::optional<mode_t> umask;  // 0..0777
    std::vector<std::uint32_t> additional_gids;
    bool operator==(const User&) const = default;
};

struct Capabilities {
    isolation::CapSets sets;
    // Names that no kernel header of ours knows, once each, as written: a warning, not an error.
    std::vector<std::string> unknown;
    bool operator==(const Capabilities&) const = default;
};

// struct sched_attr of sched_setattr(2).
struct Scheduler {
    std::uint32_t policy = 0;  // SCHED_OTHER ...
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t flags = 0;    // SCHED_FLAG_*
    std::uint64_t runtime = 0;  // SCHED_DEADLINE: nanoseconds, as are the next two
    std::uint64_t deadline = 0;
    std::uint64_t period = 0;
    bool operator==(const Scheduler&) const = default;
};

// ioprio_set(2).
struct IoPriority {
    int io_class = 0;  // IOPRIO_CLASS_RT, _BE, _IDLE
    int priority = 0;  // 0..7
    // IOPRIO_PRIO_VALUE(class, priority).
    [[nodiscard]] int value() const;
    bool operator==(const IoPriority&) const = default;
};

// CPU numbers (at most 8191), ascending; empty: not given. Only for exec.
struct ExecCpuAffinity {
    std::vector<std::uint32_t> initial;  // before the process enters the cgroup
    std::vector<std::uint32_t> last;     // "final": after that
    bool operator==(const ExecCpuAffinity&) const = default;
};

struct Process {
    bool terminal = false;
    std::optional<isolation::WindowSize> console_size;  // of no account without `terminal`
    User user;
    std::vector<std::string> args;
    std::vector<std::string> env;
    std::string cwd;                           // absolute (checked)
    std::optional<Capabilities> capabilities;  // absent: none at all, as runc has it
    std::vector<isolation::Rlimit> rlimits;    // one a resource (parsed), soft <= hard (checked)
    bool no_new_privileges = false;
    std::string apparmor_profile;  // empty: not asked for
    std::string selinux_label;
    std::optional<int> oom_score_adj;  // -1000..1000
    std::optional<Scheduler> scheduler;
    std::optional<IoPriority> io_priority;
    std::optional<ExecCpuAffinity> exec_cpu_affinity;
    bool operator==(const Process&) const = default;
};

struct Root {
    std::string path;  // absolute, or relative to the bundle
    bool readonly = false;
    bool operator==(const Root&) const = default;
};

struct Mount {
    std::string destination;                // absolute: a relative one has "/" put before it
    std::string type;                       // empty, or a dummy, for a bind
    std::string source;                     // of a bind: absolute, or relative to the bundle
    std::vector<std::string> option_words;  // as written
    MountOptions options;
    isolation::IdMap ids;  // uidMappings, gidMappings; both or none (checked)
    bool operator==(const Mount&) const = default;
};

struct Hook {
    std::string path;               // absolute (checked)
    std::vector<std::string> args;  // argv with argv[0]; empty: just the path
    std::vector<std::string> env;
    std::optional<std::uint32_t> timeout;  // seconds, at least 1; absent: as long as it takes
    bool operator==(const Hook&) const = default;
};

// In the order of a container's life. Who runs them: the first two, poststart and poststop the runtime in its
// own namespaces; createContainer and startContainer the child in the container's.
struct Hooks {
    std::vector<Hook> prestart;
    std::vector<Hook> create_runtime;
    std::vector<Hook> create_container;
    std::vector<Hook> start_container;
    std::vector<Hook> poststart;
    std::vector<Hook> poststop;
    bool operator==(const Hooks&) const = default;
};

struct NamespaceEntry {
    isolation::Namespace kind = isolation::Namespace::Mount;
    std::string path;  // empty: a new one; else an absolute path on the host to join
    bool operator==(const NamespaceEntry&) const = default;
};

// time_namespaces(7).
struct TimeOffset {
    std::int64_t seconds = 0;
    std::uint32_t nanoseconds = 0;  // below 1'000'000'000
    bool operator==(const TimeOffset&) const = default;
};

struct Device {
    enum class Type : std::uint8_t { Char, Block, Fifo };
    Type type = Type::Char;   // "u" is Char as well
    std::string path;         // absolute in the container (checked)
    std::uint32_t major = 0;  // 0 for a fifo
    std::uint32_t minor = 0;
    mode_t mode = 0666;     // permission bits alone
    std::uint32_t uid = 0;  // container ids
    std::uint32_t gid = 0;
    bool operator==(const Device&) const = default;
};

// An interface of the runtime's network namespace that the container gets.
struct NetDevice {
    std::string host_name;
    std::string name;  // inside; the same as host_name when the document leaves it out
    bool operator==(const NetDevice&) const = default;
};

struct IntelRdt {
    std::string clos_id;  // empty: the container's id
    std::string l3_cache_schema;
    std::string mem_bw_schema;
    std::vector<std::string> schemata;
    bool enable_cmt = false;
    bool enable_mbm = false;
    bool enable_monitoring = false;
    bool operator==(const IntelRdt&) const = default;
};

// set_mempolicy(2).
struct MemoryPolicy {
    int mode = 0;                      // MPOL_*
    std::uint32_t flags = 0;           // MPOL_F_*
    std::vector<std::uint32_t> nodes;  // ascending, at most 1023
    bool operator==(const MemoryPolicy&) const = default;
};

struct Seccomp {
    // The whole object as JSON, for isolation's parser: actions, architectures and system calls are its to judge.
    std::string profile;
    std::uint32_t flags = 0;  // SECCOMP_FILTER_FLAG_*
    std::string listener_path;
    std::string listener_metadata;
    bool notifies = false;  // SCMP_ACT_NOTIFY is among the actions
    bool operator==(const Seccomp&) const = default;
};

// personality(2).
struct Personality {
    std::uint32_t domain = 0;  // PER_LINUX, PER_LINUX32
    bool operator==(const Personality&) const = default;
};

struct Linux {
    std::vector<NamespaceEntry> namespaces;  // one a kind (checked)
    isolation::IdMap ids;                    // uidMappings, gidMappings
    std::optional<TimeOffset> monotonic, boottime;
    std::vector<Device> devices;
    std::vector<NetDevice> net_devices;
    std::string cgroups_path;  // as written; empty: the runtime's choice
    std::optional<cgroups::Resources> resources;
    std::optional<IntelRdt> intel_rdt;
    std::optional<MemoryPolicy> memory_policy;
    std::map<std::string, std::string> sysctl;  // "net.ipv4.ip_forward" or with '/'
    std::optional<Seccomp> seccomp;
    std::optional<Propagation> rootfs_propagation;
    std::vector<std::string> masked_paths;    // absolute (checked)
    std::vector<std::string> readonly_paths;  // absolute (checked)
    std::string mount_label;
    std::optional<Personality> personality;
    bool operator==(const Linux&) const = default;

    // Listed, whether new or joined.
    [[nodiscard]] const NamespaceEntry* find(isolation::Namespace kind) const;
    [[nodiscard]] bool is_new(isolation::Namespace kind) const;
    [[nodiscard]] bool is_joined(isolation::Namespace kind) const;
};

struct Config {
    std::string oci_version;
    std::optional<Process> process;  // needed by `start` alone
    std::string process_text;        // the same as JSON, for parse_process(); empty: there is none
    std::optional<Root> root;
    std::string hostname;  // empty: left as it is
    std::string domainname;
    std::vector<Mount> mounts;
    Hooks hooks;
    std::map<std::string, std::string> annotations;
    Linux linux;
    bool wants_vm = false;  // a /vm that is not empty
    bool operator==(const Config&) const = default;
};

}  // namespace warren::spec::oci
