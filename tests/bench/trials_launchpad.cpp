#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/floor_calls.hpp"
#include "tests/bench/trials.hpp"

namespace trials {

namespace {

using floor_bench::checked;
using floor_bench::die;

// <sys/mount.h> clashes with what floor_calls.hpp needs.
bool detach(const char* path) {
    constexpr int kDetach = 2;  // MNT_DETACH
    return ::syscall(SYS_umount2, path, kDetach) == 0;
}

void make_private_copy() {
    checked(::unshare(CLONE_NEWNS), "make a mount namespace");
    mount_attr attributes{};
    attributes.propagation = 1U << 18U;  // MS_PRIVATE
    floor_bench::set_mount(AT_FDCWD, "/", true, attributes);
}

void pivot_here() {
    checked(::syscall(SYS_pivot_root, ".", "."), "pivot_root");
}

void drop_old_tree() {
    if (!detach(".")) {
        die("drop the old tree");
    }
}

enum class Way : std::uint8_t { Pivot, Cover };

int attach_root() {
    const int root = floor_bench::mount_fs("tmpfs", {}, 0);
    floor_bench::move_onto(root, AT_FDCWD, "/");
    return root;
}

// [0] copy of the mount namespace, [1] pivot_root or chroot, [2] the old tree goes.
void enter_root(Way way, Sums& sums) {
    const double start = now_us();
    make_private_copy();
    const double copied = now_us();
    const int root = attach_root();
    checked(::fchdir(root), "enter the root");
    const double attached = now_us();
    if (way == Way::Pivot) {
        pivot_here();
    } else {
        checked(::chroot("."), "chroot");
    }
    const double entered = now_us();
    if (way == Way::Pivot) {
        drop_old_tree();
    }
    sums[0] += copied - start;
    sums[1] += entered - attached;
    sums[2] += now_us() - entered;
}

// An almost empty tree: proc and sysfs must be in it, or a user namespace may not mount its own.
void enter_launchpad() {
    make_private_copy();
    const int pad = floor_bench::mount_fs("tmpfs", {}, 0);
    for (const std::string name : {"proc", "sys"}) {
        const int tree = floor_bench::clone_tree(AT_FDCWD, ('/' + name).c_str(), false);
        checked(::mkdirat(pad, name.c_str(), 0755), name.c_str());
        floor_bench::move_onto(tree, pad, name.c_str());
    }
    floor_bench::move_onto(pad, AT_FDCWD, "/");
    checked(::fchdir(pad), "enter the launchpad");
    pivot_here();
    drop_old_tree();
    checked(::chdir("/"), "enter the launchpad");
}

void time_way(const char* tree, Way way) {
    Sums* sums = shared_sums();
    for (int round = 0; round < kRounds; ++round) {
        in_user_namespace([&] { enter_root(way, *sums); });
    }
    std::printf("%s, %s: copy of the mounts %.0f, enter %.0f, old tree %.0f\n",
                tree,
                way == Way::Pivot ? "pivot_root" : "cover and chroot",
                (*sums)[0] / kRounds,
                (*sums)[1] / kRounds,
                (*sums)[2] / kRounds);
}

// The launcher covers a copy of its own. What is copied on into a user namespace with less rights stays as it is there:
// the kernel locks the mounts (mount_namespaces(7)). [0] both copies, [1] into the root.
void in_locked_root(Sums& sums, const std::function<void()>& inside) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        const double start = now_us();
        make_private_copy();
        sums[0] += now_us() - start;
        const auto enter = [&] {
            const double begin = now_us();
            checked(::unshare(CLONE_NEWNS), "make a mount namespace");
            const double copied = now_us();
            // The root of this process lies below; what is above it shows on the way back from "..".
            checked(::chdir("/.."), "enter the root");
            checked(::chroot("."), "chroot");
            sums[0] += copied - begin;
            sums[1] += now_us() - copied;
            inside();
        };
        in_user_namespace(enter, nullptr, [] { (void)attach_root(); });
        ::_exit(0);
    }
    int status = 0;
    (void)::waitpid(checked(pid, "fork"), &status, 0);
    if (status != 0) {
        std::exit(1);
    }
}

void time_locked() {
    Sums* sums = shared_sums();
    for (int round = 0; round < kRounds; ++round) {
        in_locked_root(*sums, [] {});
    }
    std::printf("launchpad, locked cover and chroot: copies of the mounts %.0f, enter %.0f\n",
                (*sums)[0] / kRounds,
                (*sums)[1] / kRounds);
}

// The launchpad has a directory /sys, the root above it has none.
bool stands_in_launchpad() {
    return ::access("sys", F_OK) == 0;
}

bool walks_out() {
    const int outside = checked(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "open /");
    checked(::mkdir("/jail", 0700), "make /jail");
    checked(::chroot("/jail"), "chroot");
    checked(::fchdir(outside), "leave the jail");
    for (int steps = 0; steps < 8; ++steps) {
        checked(::chdir(".."), "go up");
    }
    checked(::chroot("."), "chroot");
    return stands_in_launchpad();
}

// With another root put in its place by pivot_root(2), and that one taken off.
bool swaps_it() {
    const int other = floor_bench::mount_fs("tmpfs", {}, 0);
    checked(::mkdir("/other", 0700), "make /other");
    floor_bench::move_onto(other, AT_FDCWD, "/other");
    checked(::fchdir(other), "enter the other root");
    pivot_here();
    drop_old_tree();
    checked(::chdir("/"), "enter the other root");
    return detach("/") || stands_in_launchpad();
}

// Whether the guest's processes can see a proc without the masks of the guest's own: in namespaces that they may make, the
// kernel lets them mount one exactly when a full one is among the guest's mounts, be it where nobody can go.
bool proc_can_be_mounted() {
    const pid_t pid = ::fork();
    if (pid == 0) {
        checked(::mkdir("/proc", 0755), "make /proc");
        checked(::unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID), "make namespaces");
        const pid_t first = checked(::fork(), "fork");
        if (first == 0) {
            ::_exit(::syscall(SYS_mount, "proc", "/proc", "proc", 0, nullptr) == 0 ? 0 : 1);
        }
        int status = 0;
        (void)::waitpid(first, &status, 0);
        ::_exit(status == 0 ? 0 : 1);
    }
    int status = 0;
    (void)::waitpid(checked(pid, "fork"), &status, 0);
    return status == 0;
}

void tell_whether_proc_can_be_mounted() {
    checked(::chdir("/"), "enter the root");
    std::printf("%s\n", proc_can_be_mounted() ? "yes" : "no");
    (void)std::fflush(stdout);
}

// The guest's root user: what it can do about the mount that it stands in.
void try_to_get_out() {
    checked(::chdir("/"), "enter the root");
    if (detach("/")) {
        std::printf("takes the cover off\n");
    } else if (walks_out()) {
        std::printf("walks out\n");
    } else if (swaps_it()) {
        std::printf("swaps it for another, and takes that off\n");
    } else {
        std::printf("does not get out\n");
    }
    (void)std::fflush(stdout);
}

void tell_whether_it_holds() {
    std::printf("a guest's root that covers: the guest's root user ");
    (void)std::fflush(stdout);
    in_user_namespace([] {
        Sums unused{};
        enter_root(Way::Cover, unused);
        try_to_get_out();
    });
    std::printf("a guest's root that covers, locked: the guest's root user ");
    (void)std::fflush(stdout);
    Sums unused{};
    in_locked_root(unused, try_to_get_out);
}

void tell_what_is_in_sight() {
    std::printf("after pivot_root, namespaces in the guest may mount a whole proc: ");
    (void)std::fflush(stdout);
    in_user_namespace([] {
        Sums unused{};
        enter_root(Way::Pivot, unused);
        tell_whether_proc_can_be_mounted();
    });
    std::printf("above a launchpad, locked, namespaces in the guest may mount a whole proc: ");
    (void)std::fflush(stdout);
    Sums unused{};
    in_locked_root(unused, tell_whether_proc_can_be_mounted);
}

class Sleepers {
public:
    explicit Sleepers(int count) {
        for (int i = 0; i < count; ++i) {
            const pid_t pid = ::fork();
            if (pid == 0) {
                (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void)::pause();
                ::_exit(0);
            }
            pids_.push_back(checked(pid, "fork a task"));
        }
    }

    Sleepers(const Sleepers&) = delete;
    Sleepers& operator=(const Sleepers&) = delete;
    Sleepers(Sleepers&&) = delete;
    Sleepers& operator=(Sleepers&&) = delete;

    ~Sleepers() {
        for (const pid_t pid : pids_) {
            (void)::kill(pid, SIGKILL);
        }
        for (const pid_t pid : pids_) {
            (void)::waitpid(pid, nullptr, 0);
        }
    }

private:
    std::vector<pid_t> pids_;
};

}  // namespace

void try_launchpad(int tasks) {
    const Sleepers sleepers(tasks);
    std::printf("%d tasks asleep\n", tasks);
    time_way("host's tree", Way::Pivot);
    enter_launchpad();
    time_way("launchpad", Way::Pivot);
    time_way("launchpad", Way::Cover);
    time_locked();
    tell_whether_it_holds();
    tell_what_is_in_sight();
}

}  // namespace trials
