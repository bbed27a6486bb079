// bench_trials: ways to launch that were tried and not taken, so that anybody can see what they would bring.
//
//   bench_trials launchpad [--tasks N]   a guest's root put over "/" in a mount namespace with next to nothing in it,
//                                        against pivot_root(2), which looks at every task of the host; N tasks sleep
//                                        meanwhile. The same with the mounts locked by a second copy, into the guest's
//                                        user namespace. And whether the guest's root gets out of either.
//   bench_trials netns                   a network namespace out of a pool, against a fresh one. It belongs to the user
//                                        namespace that it was made in, so a pool has pairs of both.
//
// Needs root. Everything happens in namespaces of its own. Times are means, in microseconds.
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/floor_calls.hpp"

namespace {

using floor_bench::checked;
using floor_bench::die;

constexpr int kRounds = 100;
constexpr std::size_t kSteps = 4;
using Sums = std::array<double, kSteps>;

double now_us() {
    timespec now{};
    (void)::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

double children_cpu_us() {
    rusage used{};
    (void)::getrusage(RUSAGE_CHILDREN, &used);
    const auto us = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
    };
    return us(used.ru_utime) + us(used.ru_stime);
}

// Memory that children write to.
Sums* shared_sums() {
    void* memory =
        ::mmap(nullptr, sizeof(Sums), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        die("map memory");
    }
    return static_cast<Sums*>(memory);
}

void write_text(const std::string& path, const char* text) {
    const int fd = checked(::open(path.c_str(), O_WRONLY | O_CLOEXEC), path.c_str());
    if (::write(fd, text, std::strlen(text)) < 0) {
        die(path);
    }
    (void)::close(fd);
}

// A turn that one side gives and the other takes.
class Turn {
public:
    Turn() { checked(::pipe2(ends_.data(), O_CLOEXEC), "make a pipe"); }

    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    Turn(Turn&&) = delete;
    Turn& operator=(Turn&&) = delete;

    ~Turn() {
        (void)::close(ends_[0]);
        (void)::close(ends_[1]);
    }

    void give() const { checked(::write(ends_[1], "x", 1), "tell the other side"); }

    // Once: after it, only the other side can have given.
    void take() {
        (void)::close(ends_[1]);
        ends_[1] = -1;
        char byte = 0;
        if (checked(::read(ends_[0], &byte, 1), "hear the other side") == 0) {
            std::exit(1);  // it said why, and is gone
        }
    }

private:
    std::array<int, 2> ends_{};
};

// Runs `inside` as root of a new user namespace; in the parent `before` it, and `beside` it while it waits for its end.
void in_user_namespace(const std::function<void()>& inside,
                       const std::function<void(pid_t)>& beside = nullptr,
                       const std::function<void()>& before = nullptr) {
    Turn born;
    Turn mapped;
    Turn done;
    Turn seen;
    const pid_t pid = ::fork();
    if (pid == 0) {
        checked(::unshare(CLONE_NEWUSER), "make a user namespace");
        born.give();
        mapped.take();
        checked(::setresgid(0, 0, 0), "become root's group");
        checked(::setresuid(0, 0, 0), "become root");
        inside();
        done.give();
        seen.take();
        ::_exit(0);
    }
    checked(pid, "fork");
    born.take();
    const std::string proc = "/proc/" + std::to_string(pid);
    write_text(proc + "/uid_map", "0 268435456 65536");
    write_text(proc + "/gid_map", "0 268435456 65536");
    if (before) {
        before();
    }
    mapped.give();
    done.take();
    if (beside) {
        beside(pid);
    }
    seen.give();
    int status = 0;
    (void)::waitpid(pid, &status, 0);
    if (status != 0) {
        std::exit(1);
    }
}

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

// The guest's root: what it can do about the mount that it stands in.
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

void try_launchpad(int tasks) {
    const Sleepers sleepers(tasks);
    std::printf("%d tasks asleep\n", tasks);
    time_way("host's tree", Way::Pivot);
    enter_launchpad();
    time_way("launchpad", Way::Pivot);
    time_way("launchpad", Way::Cover);
    time_locked();
    tell_whether_it_holds();
}

struct Pair {
    int users;
    int network;
};

// [0] wall-clock time of the namespace.
double make_fresh(Sums& sums, std::vector<Pair>* keep) {
    const double before = children_cpu_us();
    for (int round = 0; round < kRounds; ++round) {
        in_user_namespace(
            [&] {
                const double start = now_us();
                checked(::unshare(CLONE_NEWNET), "make a network namespace");
                sums[0] += now_us() - start;
            },
            [&](pid_t pid) {
                if (keep == nullptr) {
                    return;
                }
                const std::string ns = "/proc/" + std::to_string(pid) + "/ns/";
                keep->push_back(
                    {checked(::open((ns + "user").c_str(), O_RDONLY | O_CLOEXEC), "open ns/user"),
                     checked(::open((ns + "net").c_str(), O_RDONLY | O_CLOEXEC), "open ns/net")});
            });
    }
    return (children_cpu_us() - before) / kRounds;
}

double take_from_pool(Sums& sums, const std::vector<Pair>& pool) {
    const double before = children_cpu_us();
    for (const Pair& pair : pool) {
        const pid_t pid = ::fork();
        if (pid == 0) {
            const double start = now_us();
            checked(::setns(pair.users, CLONE_NEWUSER), "enter the user namespace");
            checked(::setns(pair.network, CLONE_NEWNET), "enter the network namespace");
            sums[0] += now_us() - start;
            ::_exit(0);
        }
        (void)::waitpid(checked(pid, "fork"), nullptr, 0);
        (void)::close(pair.users);
        (void)::close(pair.network);
    }
    return (children_cpu_us() - before) / kRounds;
}

void try_netns_pool() {
    Sums* fresh = shared_sums();
    Sums* making = shared_sums();
    Sums* taken = shared_sums();
    const double fresh_cpu = make_fresh(*fresh, nullptr);
    std::vector<Pair> pool;
    const double making_cpu = make_fresh(*making, &pool);
    const double taken_cpu = take_from_pool(*taken, pool);
    std::printf("fresh: %.0f; CPU time of its process %.0f\n", (*fresh)[0] / kRounds, fresh_cpu);
    std::printf("out of a pool: %.0f; CPU time %.0f, and %.0f for who made it\n",
                (*taken)[0] / kRounds,
                taken_cpu,
                making_cpu);
}

[[noreturn]] void usage() {
    (void)std::fputs("bench_trials: launchpad [--tasks N] | netns\n", stderr);
    std::exit(2);
}

int task_count(const std::string& text) {
    constexpr int kMost = 20000;
    int count = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size() || count < 0 || count > kMost) {
        usage();
    }
    return count;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words == std::vector<std::string>{"netns"}) {
        try_netns_pool();
        return 0;
    }
    const bool counted = words.size() == 3 && words[1] == "--tasks";
    if (words.empty() || words[0] != "launchpad" || (words.size() > 1 && !counted)) {
        usage();
    }
    try_launchpad(counted ? task_count(words[2]) : 0);
    return 0;
}
