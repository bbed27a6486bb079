// The parent's half of a launch.
#include "tests/bench/floor_guest.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "tests/bench/floor_calls.hpp"

namespace floor_bench {

namespace {

constexpr mode_t kShutDirectory = 0700;
constexpr mode_t kOpenDirectory = 0755;
constexpr mode_t kOpenNode = 0666;

std::string child_path(pid_t pid, const char* name) {
    return "/proc/" + std::to_string(pid) + '/' + name;
}

void write_text(int at, const char* path, const std::string& text) {
    const int fd = checked(::openat(at, path, O_WRONLY | O_CLOEXEC), path);
    if (::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        die(path);
    }
    (void)::close(fd);
}

uid_t first_id(const Settings& settings, std::uint32_t index) {
    return settings.users ? settings.first_id + index * 65536U : 0;
}

void make_cgroup(const Settings& settings, Guest& guest, uid_t owner) {
    const std::string path = settings.cgroup + '/' + guest.name;
    checked(::mkdir(path.c_str(), kOpenDirectory), "make the cgroup");
    const int fd =
        checked(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open the cgroup");
    guest.cgroup_fd = fd;
    write_text(fd, "cgroup.max.descendants", "1024");
    write_text(fd, "cgroup.max.depth", "32");
    if (settings.device_program >= 0) {
        bpf_attr attach{};
        attach.target_fd = static_cast<__u32>(fd);
        attach.attach_bpf_fd = static_cast<__u32>(settings.device_program);
        attach.attach_type = BPF_CGROUP_DEVICE;
        attach.attach_flags = BPF_F_ALLOW_MULTI;
        checked(::syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach),
                "attach the device program");
    }
    for (const char* name : {"cgroup.procs", "cgroup.threads", "cgroup.subtree_control"}) {
        checked(::fchownat(fd, name, owner, owner, AT_SYMLINK_NOFOLLOW), name);
    }
    checked(::fchown(fd, owner, owner), "give the cgroup to the guest's root");
}

void clone_child(const Settings& settings, Guest& guest, const ChildInput& input) {
    std::uint64_t flags = CLONE_PIDFD | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID |
                          CLONE_NEWTIME | CLONE_CLEAR_SIGHAND;
    flags |= settings.network ? std::uint64_t{CLONE_NEWNET} : 0;
    flags |= settings.users ? std::uint64_t{CLONE_NEWUSER} : 0;
    clone_args args{};
    args.exit_signal = SIGCHLD;
    args.pidfd = reinterpret_cast<std::uint64_t>(&guest.pidfd);
    if (guest.cgroup_fd >= 0) {
        flags |= CLONE_INTO_CGROUP;
        args.cgroup = static_cast<__u64>(guest.cgroup_fd);
    }
    args.flags = flags;
    const long pid = ::syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0) {
        run_child(input);
    }
    guest.pid = checked(pid, "clone3");
}

void write_maps(const Guest& guest, uid_t owner) {
    const std::string map = "0 " + std::to_string(owner) + " 65536\n";
    write_text(AT_FDCWD, child_path(guest.pid, "uid_map").c_str(), map);
    write_text(AT_FDCWD, child_path(guest.pid, "gid_map").c_str(), map);
}

int idmapped(int at, const char* path, int users) {
    const int mount = clone_tree(at, path, false);
    if (users >= 0) {
        set_mount(mount,
                  "",
                  false,
                  {.attr_set = MOUNT_ATTR_IDMAP,
                   .propagation = MS_PRIVATE,
                   .userns_fd = static_cast<__u64>(users)});
    }
    return mount;
}

std::string descriptor_path(int fd) {
    return "/proc/self/fd/" + std::to_string(fd);
}

// As the guest's root, whose ids the overlay's own files get; a change of the file system user id takes capabilities
// away, which are taken back.
int create_overlay(const Options& options, uid_t owner) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[2] = {};
    checked(::syscall(SYS_capget, &header, sets), "capget");
    (void)::setfsgid(owner);
    (void)::setfsuid(owner);
    checked(::syscall(SYS_capset, &header, sets), "capset");
    const int context = configure_fs("overlay", options);
    (void)::setfsuid(0);
    (void)::setfsgid(0);
    checked(::syscall(SYS_capset, &header, sets), "capset");
    return context;
}

// The directories' owner on disk is root, which the idmap shows as the guest's.
int mount_overlay(const Settings& settings, const Guest& guest, uid_t owner, int users) {
    const std::string dir = settings.scratch + '/' + guest.name;
    checked(::mkdir(dir.c_str(), kShutDirectory), "make the guest's directory");
    const int disk = checked(::open(dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), "open it");
    checked(::mkdirat(disk, "upper", kOpenDirectory), "make the upper directory");
    checked(::mkdirat(disk, "work", kShutDirectory), "make the work directory");
    const int lower = idmapped(AT_FDCWD, settings.root.c_str(), users);
    const int above = idmapped(disk, "", users);
    const int upper = checked(::openat(above, "upper", O_PATH | O_CLOEXEC), "open upper");
    const int work = checked(::openat(above, "work", O_PATH | O_CLOEXEC), "open work");
    const int context = create_overlay({{"source", "floor"},
                                        {"lowerdir", descriptor_path(lower).c_str()},
                                        {"upperdir", descriptor_path(upper).c_str()},
                                        {"workdir", descriptor_path(work).c_str()},
                                        {"redirect_dir", "on"},
                                        {"index", "off"},
                                        {"metacopy", "off"},
                                        {"volatile", ""}},
                                       owner);
    const int root =
        checked(::syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV), "overlay");
    for (const int fd : {context, upper, work, above, lower, disk}) {
        (void)::close(fd);
    }
    return root;
}

int mount_root(const Settings& settings, const Guest& guest, uid_t owner) {
    const int users =
        settings.users
            ? checked(::open(child_path(guest.pid, "ns/user").c_str(), O_RDONLY | O_CLOEXEC),
                      "open the user namespace")
            : -1;
    int root = -1;
    if (settings.scratch.empty()) {
        root = idmapped(AT_FDCWD, settings.root.c_str(), users);
        set_mount(root, "", false, {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV});
    } else {
        root = mount_overlay(settings, guest, owner, users);
    }
    (void)::close(users);
    return root;
}

int make_dev(uid_t owner) {
    const std::string id = std::to_string(owner);
    const int dev = mount_fs("tmpfs",
                             {{"size", "512k"},
                              {"nr_inodes", "1024"},
                              {"mode", "0755"},
                              {"uid", id.c_str()},
                              {"gid", id.c_str()}},
                             MOUNT_ATTR_NOSUID);
    const auto own = [dev, owner](const char* name) {
        checked(::fchownat(dev, name, owner, owner, AT_SYMLINK_NOFOLLOW), name);
    };
    constexpr std::array<std::pair<const char*, const char*>, 5> kLinks = {{
        {"fd", "/proc/self/fd"},
        {"stdin", "/proc/self/fd/0"},
        {"stdout", "/proc/self/fd/1"},
        {"stderr", "/proc/self/fd/2"},
        {"ptmx", "pts/ptmx"},
    }};
    for (const auto& [name, target] : kLinks) {
        checked(::symlinkat(target, dev, name), name);
        own(name);
    }
    for (const char* name : {"pts", "shm", "mqueue"}) {
        checked(::mkdirat(dev, name, kOpenDirectory), name);
        own(name);
    }
    constexpr std::array<std::pair<const char*, std::pair<unsigned, unsigned>>, 6> kNodes = {{
        {"null", {1, 3}},
        {"zero", {1, 5}},
        {"full", {1, 7}},
        {"random", {1, 8}},
        {"urandom", {1, 9}},
        {"tty", {5, 0}},
    }};
    for (const auto& [name, numbers] : kNodes) {
        checked(::mknodat(dev, name, S_IFCHR | kOpenNode, ::makedev(numbers.first, numbers.second)),
                name);
        own(name);
    }
    return dev;
}

void send_mounts(int channel, std::array<int, 2> mounts) {
    char go = 'g';
    iovec data{&go, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof mounts)> control{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof mounts);
    std::memcpy(CMSG_DATA(header), mounts.data(), sizeof mounts);
    checked(::sendmsg(channel, &message, MSG_NOSIGNAL), "send the mounts");
}

// The end of the channel is the exec, or the child's end, who then has not said when it called exec. It has complained
// on standard error.
std::uint64_t await_exec(int channel, Times& child) {
    char none = 0;
    (void)::recv(channel, &none, 1, 0);
    const std::uint64_t end = now_ns();
    auto& exec = child[static_cast<std::size_t>(Step::Exec)];
    if (exec == 0) {
        (void)std::fputs("bench_floor: a guest did not come to its program\n", stderr);
        std::exit(1);
    }
    return end > exec ? end - exec : 0;
}

}  // namespace

const char* step_name(Step step) {
    constexpr std::array<const char*, kStepCount> kNames = {"cgroup",
                                                            "clone",
                                                            "root",
                                                            "dev",
                                                            "network",
                                                            "pivot_root",
                                                            "proc",
                                                            "sysfs",
                                                            "mounts",
                                                            "masks",
                                                            "filter",
                                                            "capabilities",
                                                            "exec",
                                                            "wait",
                                                            "undo"};
    return kNames[static_cast<std::size_t>(step)];
}

std::uint64_t now_ns() {
    timespec now{};
    (void)::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(now.tv_nsec);
}

void die(const std::string& what) {
    (void)std::fprintf(stderr, "bench_floor: %s: %s\n", what.c_str(), std::strerror(errno));
    std::exit(1);
}

Guest launch(const Settings& settings, std::uint32_t index, Times& times, Times* child_times) {
    Guest guest;
    guest.name = "floor-" + std::to_string(::getpid()) + '-' + std::to_string(index);
    const uid_t owner = first_id(settings, index);
    Clock clock(times);
    if (!settings.cgroup.empty()) {
        make_cgroup(settings, guest, owner);
    }
    clock.done(Step::Cgroup);
    int channel[2];
    checked(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel), "make the channel");
    clone_child(settings, guest, {&settings, guest.name.c_str(), channel[1], child_times});
    (void)::close(channel[1]);
    if (settings.users) {
        write_maps(guest, owner);
    }
    clock.done(Step::Clone);
    const int root = mount_root(settings, guest, owner);
    clock.done(Step::Root);
    const int dev = make_dev(owner);
    clock.done(Step::Dev);
    send_mounts(channel[0], {root, dev});
    (void)::close(root);
    (void)::close(dev);
    Times& child = *child_times;
    child[static_cast<std::size_t>(Step::Exec)] = await_exec(channel[0], child);
    (void)::close(channel[0]);
    for (std::size_t i = 0; i < kStepCount; ++i) {
        times[i] += child[i];
        child[i] = 0;
    }
    return guest;
}

int reap(Guest& guest, bool kill, Times& times) {
    Clock clock(times);
    if (kill) {
        checked(::syscall(SYS_pidfd_send_signal, guest.pidfd, SIGKILL, nullptr, 0), "kill a guest");
    }
    siginfo_t info{};
    while (::waitid(P_PIDFD, static_cast<id_t>(guest.pidfd), &info, WEXITED) != 0) {
        if (errno != EINTR) {
            die("wait for a guest");
        }
    }
    (void)::close(guest.pidfd);
    guest.pidfd = -1;
    clock.done(Step::Wait);
    return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

void undo(const Settings& settings, Guest& guest, Times& times) {
    Clock clock(times);
    if (guest.cgroup_fd >= 0) {
        (void)::close(guest.cgroup_fd);
        const std::string path = settings.cgroup + '/' + guest.name;
        checked(::rmdir(path.c_str()), "remove the cgroup");
    }
    if (!settings.scratch.empty()) {
        const std::string path = settings.scratch + '/' + guest.name;
        const int disk = checked(::open(path.c_str(), O_PATH | O_CLOEXEC), "open a directory");
        checked(::unlinkat(disk, "work/work/incompat/volatile/dirty", 0), "remove the work files");
        for (const char* name :
             {"work/work/incompat/volatile", "work/work/incompat", "work/work", "work", "upper"}) {
            checked(::unlinkat(disk, name, AT_REMOVEDIR), name);
        }
        (void)::close(disk);
        checked(::rmdir(path.c_str()), "remove the guest's directory");
    }
    clock.done(Step::Undo);
}

}  // namespace floor_bench
