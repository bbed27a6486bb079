// The guest's half of a launch: from clone3 to exec, as the guest's first process.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "tests/bench/floor_calls.hpp"

extern "C" char** environ;

namespace floor_bench {

namespace {

constexpr std::uint64_t kNothing = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

constexpr std::uint64_t bit(int capability) {
    return std::uint64_t{1} << static_cast<unsigned>(capability);
}

// What warren leaves a command.
constexpr std::uint64_t kCapabilities = bit(CAP_CHOWN) | bit(CAP_DAC_OVERRIDE) | bit(CAP_FOWNER) |
                                        bit(CAP_FSETID) | bit(CAP_KILL) | bit(CAP_SETGID) |
                                        bit(CAP_SETUID) | bit(CAP_SETPCAP) | bit(CAP_SETFCAP) |
                                        bit(CAP_NET_BIND_SERVICE) | bit(CAP_SYS_CHROOT) |
                                        bit(CAP_NET_RAW) | bit(CAP_MKNOD) | bit(CAP_AUDIT_WRITE);

void raise_loopback() {
    struct {
        nlmsghdr header;
        ifinfomsg link;
    } request{};

    request.header = {sizeof request, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0};
    request.link.ifi_index = 1;
    request.link.ifi_flags = IFF_UP;
    request.link.ifi_change = IFF_UP;
    const int fd = checked(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "netlink");
    checked(::send(fd, &request, sizeof request, 0), "set lo up");
    std::array<char, 256> answer{};
    checked(::recv(fd, answer.data(), answer.size(), 0), "set lo up");
    (void)::close(fd);
}

std::array<int, 2> receive_mounts(int channel) {
    std::array<int, 2> mounts{};
    char go = 0;
    iovec data{&go, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof mounts)> control{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto got = ::recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (got != 1 || header == nullptr) {
        std::_Exit(1);  // the parent is gone
    }
    std::memcpy(mounts.data(), CMSG_DATA(header), sizeof mounts);
    return mounts;
}

void become_root() {
    // Only this process: there is no other thread that the C library would have to follow.
    checked(::syscall(SYS_setgroups, 0, nullptr), "setgroups");
    checked(::syscall(SYS_setresgid, 0, 0, 0), "setresgid");
    checked(::syscall(SYS_setresuid, 0, 0, 0), "setresuid");
    (void)::prctl(PR_SET_DUMPABLE, 0);
}

struct Mounts {
    int proc = -1;
    int sysfs = -1;
    int cgroup = -1;
    int devpts = -1;
    int shm = -1;
    int mqueue = -1;
    int mask = -1;
};

Mounts open_mounts(const Settings& settings, Clock& clock) {
    Mounts out;
    clock.restart();
    out.proc = mount_fs("proc", {}, kNothing);
    clock.done(Step::Proc);
    // In the host's network namespace sysfs is not the guest's to mount.
    out.sysfs = settings.network
                    ? mount_fs("sysfs", {}, kNothing | MOUNT_ATTR_RDONLY)
                    : mount_fs("tmpfs", {{"size", "4k"}, {"nr_inodes", "16"}}, kNothing);
    clock.done(Step::Sysfs);
    if (!settings.cgroup.empty() && settings.network) {
        out.cgroup = mount_fs("cgroup2", {}, kNothing | MOUNT_ATTR_RDONLY);
    }
    out.devpts = mount_fs(
        "devpts",
        {{"newinstance", ""}, {"gid", "5"}, {"mode", "0620"}, {"ptmxmode", "0666"}, {"max", "256"}},
        MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
    out.shm =
        mount_fs("tmpfs", {{"mode", "1777"}, {"size", "64m"}, {"nr_inodes", "65536"}}, kNothing);
    out.mqueue = mount_fs("mqueue", {}, kNothing);
    out.mask =
        mount_fs("tmpfs", {{"nr_inodes", "1"}, {"size", "4096"}}, kNothing | MOUNT_ATTR_RDONLY);
    return out;
}

void enter_root(int root) {
    checked(::fchdir(root), "enter the root");
    checked(::syscall(SYS_pivot_root, ".", "."), "pivot_root");
    checked(::syscall(SYS_umount2, ".", 2 /* MNT_DETACH */), "drop the old root");
    checked(::chdir("/"), "chdir /");
}

void attach(int& mount, const char* target) {
    if (mount >= 0) {
        move_onto(mount, AT_FDCWD, target);
        (void)::close(mount);
        mount = -1;
    }
}

void attach_mounts(Mounts& mounts, int dev) {
    attach(dev, "/dev");
    attach(mounts.proc, "/proc");
    attach(mounts.sysfs, "/sys");
    attach(mounts.cgroup, "/sys/fs/cgroup");
    attach(mounts.devpts, "/dev/pts");
    attach(mounts.shm, "/dev/shm");
    attach(mounts.mqueue, "/dev/mqueue");
}

void close_paths(int mask) {
    for (const char* path :
         {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}) {
        const int target = ::open(path, O_PATH | O_CLOEXEC);
        if (target >= 0) {
            const int copy = clone_tree(target, "", true);
            set_mount(copy, "", true, {.attr_set = MOUNT_ATTR_RDONLY});
            move_onto(copy, target, "");
            (void)::close(copy);
            (void)::close(target);
        }
    }
    const int null = checked(::open("/dev/null", O_PATH | O_CLOEXEC), "/dev/null");
    for (const char* path : {"/proc/acpi",
                             "/proc/asound",
                             "/proc/interrupts",
                             "/proc/latency_stats",
                             "/proc/sched_debug",
                             "/proc/scsi",
                             "/proc/timer_stats",
                             "/sys/devices/virtual/powercap",
                             "/sys/firmware",
                             "/proc/kcore",
                             "/proc/keys",
                             "/proc/timer_list"}) {
        const int target = ::open(path, O_PATH | O_CLOEXEC);
        if (target < 0) {
            continue;
        }

        struct stat status {};

        (void)::fstat(target, &status);
        const int copy = clone_tree(S_ISDIR(status.st_mode) ? mask : null, "", false);
        move_onto(copy, target, "");
        (void)::close(copy);
        (void)::close(target);
    }
    (void)::close(null);
    (void)::close(mask);
}

void load_filter(const Settings& settings) {
    if (settings.filter.empty()) {
        return;
    }
    const sock_fprog program{static_cast<unsigned short>(settings.filter.size()),
                             const_cast<sock_filter*>(settings.filter.data())};
    checked(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), "load the filter");
}

void take_capabilities() {
    for (int capability = 0; capability < 64; ++capability) {
        if ((kCapabilities & bit(capability)) == 0 && ::prctl(PR_CAPBSET_DROP, capability) != 0) {
            break;  // the first one that this kernel does not know
        }
    }
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const auto low = static_cast<__u32>(kCapabilities);
    const auto high = static_cast<__u32>(kCapabilities >> 32U);
    const __user_cap_data_struct sets[2] = {{low, low, 0}, {high, high, 0}};
    checked(::syscall(SYS_capset, &header, sets), "capset");
}

}  // namespace

void run_child(const ChildInput& input) {
    const Settings& settings = *input.settings;
    Clock clock(*input.times);
    (void)::prctl(PR_SET_DUMPABLE, 0);
    (void)::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
    (void)::umask(022);
    mount_attr private_tree{};
    private_tree.propagation = 1U << 18U;  // MS_PRIVATE
    set_mount(AT_FDCWD, "/", true, private_tree);
    (void)::setsid();
    if (!settings.cgroup.empty()) {
        checked(::unshare(CLONE_NEWCGROUP), "unshare the cgroup namespace");
    }
    checked(::sethostname(input.hostname, std::strlen(input.hostname)), "sethostname");
    if (settings.network) {
        raise_loopback();
    }
    clock.done(Step::Network);
    const auto [root, dev] = receive_mounts(input.channel);
    clock.restart();
    move_onto(root, AT_FDCWD, settings.root.c_str());
    if (settings.users) {
        become_root();
    }
    clock.done(Step::Pivot);
    Mounts mounts = open_mounts(settings, clock);
    clock.done(Step::OtherMounts);
    enter_root(root);
    (void)::close(root);
    clock.done(Step::Pivot);
    attach_mounts(mounts, dev);
    clock.done(Step::OtherMounts);
    close_paths(mounts.mask);
    clock.done(Step::Masks);
    load_filter(settings);
    clock.done(Step::Filter);
    take_capabilities();
    clock.done(Step::Capabilities);
    auto& exec_at = (*input.times)[static_cast<std::size_t>(Step::Exec)];
    exec_at = now_ns();
    (void)::execve(settings.argv[0], settings.argv.data(), environ);
    exec_at = 0;
    die("exec");
}

}  // namespace floor_bench
