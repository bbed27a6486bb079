#include "isolation/defaults.hpp"

#include <utility>

#include <linux/mount.h>
#include <sys/resource.h>

namespace warren::isolation {

namespace {

using Options = std::vector<std::pair<std::string, std::string>>;

constexpr std::uint64_t kNoSetuid = MOUNT_ATTR_NOSUID;
constexpr std::uint64_t kNoDevices = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
constexpr std::uint64_t kNothing = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

MountSpec file_system(std::string type,
                      std::string target,
                      Options options,
                      std::uint64_t attributes) {
    MountSpec mount;
    mount.fs_type = std::move(type);
    mount.target = std::move(target);
    mount.options = std::move(options);
    mount.attributes = attributes;
    return mount;
}

DeviceRule node(std::string path, std::uint32_t major, std::uint32_t minor) {
    DeviceRule rule;
    rule.path = std::move(path);
    rule.major = major;
    rule.minor = minor;
    rule.make = true;
    return rule;
}

Rlimit limit(int resource, std::uint64_t soft, std::uint64_t hard) {
    return {.resource = resource, .soft = soft, .hard = hard, .best_effort = true};
}

// sysfs shows the network namespace it was mounted from and asks for CAP_SYS_ADMIN over it, which a
// guest in the host's network has not; it gets an empty /sys, with room for the control groups.
MountSpec sys_mount(const NamespaceSet& namespaces) {
    const bool refused = namespaces.has(Namespace::User) && !namespaces.has(Namespace::Net);
    if (refused) {
        return file_system(
            "tmpfs", "/sys", {{"mode", "0755"}, {"size", "4k"}, {"nr_inodes", "16"}}, kNothing);
    }
    // Read-only: most of it is the host's hardware; systemd takes that for the sign not to start
    // udev.
    return file_system("sysfs", "/sys", {}, kNothing | MOUNT_ATTR_RDONLY);
}

// Memory behind these counts against the guest's memory limit; the sizes keep one runaway file from
// taking all of it.
void add_machine_run(std::vector<MountSpec>& mounts) {
    mounts.push_back(file_system(
        "tmpfs", "/run", {{"mode", "0755"}, {"size", "256m"}, {"nr_inodes", "65536"}}, kNoDevices));
    // As Debian's run-lock.mount: anybody may leave a lock here.
    mounts.push_back(file_system(
        "tmpfs", "/run/lock", {{"mode", "1777"}, {"size", "5m"}, {"nr_inodes", "4096"}}, kNothing));
}

}  // namespace

std::vector<DeviceRule> default_devices(GuestKind kind) {
    std::vector<DeviceRule> devices = {
        node("/dev/null", 1, 3),
        node("/dev/zero", 1, 5),
        node("/dev/full", 1, 7),
        node("/dev/random", 1, 8),
        node("/dev/urandom", 1, 9),
        node("/dev/tty", 5, 0),  // whatever terminal the process has: its own
    };
    // Nodes of the guest's own devpts: ptmx, and ptys, of which one may lie at /dev/console.
    devices.push_back({.major = 5, .minor = 2});
    devices.push_back({.major = 136, .any_minor = true});
    if (kind == GuestKind::Machine) {
        // Interfaces made through it belong to the opener's network namespace (VPNs).
        devices.push_back(node("/dev/net/tun", 10, 200));
    }
    return devices;
}

std::vector<MountSpec> default_mounts(GuestKind kind, const NamespaceSet& namespaces) {
    const bool machine = kind == GuestKind::Machine;
    std::vector<MountSpec> mounts;
    mounts.push_back(file_system("proc", "/proc", {}, kNothing));
    mounts.push_back(sys_mount(namespaces));
    if (namespaces.has(Namespace::Cgroup)) {
        // An init manages the groups below the guest's own; limits of that one belong to the host.
        mounts.push_back(file_system(
            "cgroup2", "/sys/fs/cgroup", {}, machine ? kNothing : kNothing | MOUNT_ATTR_RDONLY));
    }
    // Group 5 is tty in every distribution; kernel.pty.max (4096) is shared by all guests, hence
    // the limit.
    mounts.push_back(file_system(
        "devpts",
        "/dev/pts",
        {{"newinstance", ""}, {"gid", "5"}, {"mode", "0620"}, {"ptmxmode", "0666"}, {"max", "256"}},
        kNoSetuid | MOUNT_ATTR_NOEXEC));
    // Databases keep shared buffers here; a command gets what engines give.
    mounts.push_back(
        file_system("tmpfs",
                    "/dev/shm",
                    {{"mode", "1777"}, {"size", machine ? "1g" : "64m"}, {"nr_inodes", "65536"}},
                    machine ? kNoDevices : kNothing));
    if (namespaces.has(Namespace::Ipc)) {
        mounts.push_back(file_system("mqueue", "/dev/mqueue", {}, kNothing));
    }
    if (machine) {
        add_machine_run(mounts);
    }
    return mounts;
}

// A root in a user namespace of its own is "others" to the host's files in procfs and sysfs:
// ownership keeps it from what the host shows to its root only. Masked is what the host shows to
// everybody; a machine's own root, who may unmount in there, can lift such a mask, its users and
// services cannot. Hiding has a price: where something is hidden, procfs and sysfs cannot be
// mounted again in a nested user namespace (the kernel would have to show it), hence nothing with
// nesting.
std::vector<std::string> default_masked_paths(GuestKind kind, bool nesting, bool host_users) {
    if (nesting && !host_users) {
        return {};
    }
    std::vector<std::string> paths = {
        "/proc/acpi",
        "/proc/asound",
        "/proc/interrupts",     // the neighbours' load, and key strokes by their timing
        "/proc/latency_stats",  // where every process of the host waits
        "/proc/sched_debug",    // every process of the host by name
        "/proc/scsi",
        "/proc/timer_stats",
        "/sys/devices/virtual/powercap",  // power draw tells what others compute (PLATYPUS)
        "/sys/firmware",                  // EFI variables
    };
    if (kind == GuestKind::Command || host_users) {
        // Readable by root, whoever is that here; and keys, which a guest in the host's user
        // namespace shares.
        paths.insert(paths.end(), {"/proc/kcore", "/proc/keys", "/proc/timer_list"});
    }
    return paths;
}

// A machine sets its own network's knobs below /proc/sys; all others belong to the host's root and
// are read-only to it.
std::vector<std::string> default_readonly_paths(GuestKind kind, bool nesting, bool host_users) {
    if (!host_users && (nesting || kind == GuestKind::Machine)) {
        return {};
    }
    return {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
}

// All of them, so that a guest never depends on the shell it was started from. Of the memory limits
// none is set: that is the control group's work.
std::vector<Rlimit> default_rlimits(GuestKind kind) {
    constexpr std::uint64_t kNone = RLIM_INFINITY;
    constexpr std::uint64_t kMebi = 1U << 20;
    const bool machine = kind == GuestKind::Machine;
    return {
        limit(RLIMIT_CPU, kNone, kNone),
        limit(RLIMIT_FSIZE, kNone, kNone),
        limit(RLIMIT_DATA, kNone, kNone),
        limit(RLIMIT_STACK, 8 * kMebi, kNone),
        // Off until somebody inside asks for it: the core pattern is the host's, and may name a
        // program there.
        limit(RLIMIT_CORE, 0, kNone),
        limit(RLIMIT_RSS, kNone, kNone),
        // Per uid: a wall of sorts where the pids controller is missing.
        limit(RLIMIT_NPROC, 32768, 32768),
        // select(2) breaks above 1024, so the soft limit stays there; what can do better raises it
        // (systemd's choice).
        limit(RLIMIT_NOFILE, 1024, machine ? 524288 : 1048576),
        limit(RLIMIT_MEMLOCK, 8 * kMebi, 8 * kMebi),
        limit(RLIMIT_AS, kNone, kNone),
        limit(RLIMIT_LOCKS, kNone, kNone),
        limit(RLIMIT_SIGPENDING, 32768, 32768),
        limit(RLIMIT_MSGQUEUE, 819200, 819200),
        limit(RLIMIT_NICE, 0, 0),
        limit(RLIMIT_RTPRIO, 0, 0),
        limit(RLIMIT_RTTIME, kNone, kNone),
    };
}

std::vector<std::string> default_env(GuestKind kind, bool terminal) {
    std::vector<std::string> env = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME=/root",
    };
    if (terminal) {
        env.emplace_back("TERM=xterm");
    }
    if (kind == GuestKind::Machine) {
        // An init reads here that it runs in a container; any value says so.
        env.emplace_back("container=warren");
    }
    return env;
}

}  // namespace warren::isolation
