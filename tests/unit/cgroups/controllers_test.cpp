// Limits that bind, on a host whose v2 tree has the controllers.
#include <csignal>
#include <cstring>
#include <vector>

#include <sys/mman.h>

#include "support.hpp"

using namespace warren;
using namespace warren::cgroups;
using namespace warren::cgroups::test;

namespace {

// Touches so many bytes; the kernel may have something against it.
int touch_memory(std::size_t bytes) {
    void* memory =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return 2;
    }
    std::memset(memory, 1, bytes);
    return 0;
}

// How many children can be had at once, at most `wanted`.
int count_forks(int wanted) {
    std::vector<pid_t> children;
    while (static_cast<int>(children.size()) < wanted) {
        const pid_t pid = ::fork();
        if (pid < 0) {
            break;
        }
        if (pid == 0) {
            for (;;) {
                ::pause();
            }
        }
        children.push_back(pid);
    }
    for (const pid_t pid : children) {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
    return static_cast<int>(children.size());
}

void apply(const Cgroup& cgroup, const Limits& limits) {
    const auto applied = cgroup.apply(limits);
    if (!applied) {
        FAIL(applied.error().describe());
    }
}

}  // namespace

TEST_CASE("a limit whose controller is not there is refused by its knob's name") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    if (host->controllers.count(Controller::Memory) != 0) {
        MESSAGE("skipped: this host has the memory controller");
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    Limits limits;
    limits.memory_max = Limit::of(1U << 20U);
    const auto applied = cgroup.apply(limits);
    REQUIRE(!applied);
    CHECK(applied.error().kind() == base::ErrorKind::Unsupported);
    CHECK(applied.error().describe().find("memory.max") != std::string::npos);
    limits.memory_max = Limit::none();
    CHECK(cgroup.apply(limits));
}

TEST_CASE("memory: over the limit is killed, the neighbour is not") {
    const auto host = real_host_with(Controller::Memory);
    if (!host) {
        return;
    }
    constexpr std::size_t kMiB = std::size_t{1} << 20U;
    const RealTree tree(*host);
    const auto small = tree.create("small");
    const auto neighbour = tree.create("neighbour");
    Limits limits;
    limits.memory_max = Limit::of(16 * kMiB);
    limits.memory_high = Limit::none();
    limits.memory_low = 4 * kMiB;
    limits.memory_min = 2 * kMiB;
    apply(small, limits);
    CHECK(knob(small, "memory.low") == "4194304\n");
    CHECK(knob(small, "memory.min") == "2097152\n");
    Limits swap;
    swap.swap_max = Limit::of(0);
    const bool has_swap = small.apply(swap).has_value();
    Process idle(neighbour.dir());
    CHECK(Process(small.dir(), [] { return touch_memory(4 * kMiB); }).wait() == 0);
    if (has_swap) {
        CHECK(Process(small.dir(), [] { return touch_memory(64 * kMiB); }).wait() == 256 + SIGKILL);
        CHECK(small.stats().value().oom_kills == 1);
    }
    CHECK(Process(neighbour.dir(), [] { return touch_memory(64 * kMiB); }).wait() == 0);
    CHECK(neighbour.stats().value().oom_kills == 0);
    limits = {};
    limits.memory_max = Limit::of(128 * kMiB);
    apply(small, limits);
    CHECK(Process(small.dir(), [] { return touch_memory(64 * kMiB); }).wait() == 0);
    CHECK(small.stats().value().memory_max_bytes == 128 * kMiB);
}

TEST_CASE("pids: forks end at the limit, live") {
    const auto host = real_host_with(Controller::Pids);
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    Limits limits;
    limits.pids_max = Limit::of(8);
    apply(cgroup, limits);
    CHECK(Process(cgroup.dir(), [] { return count_forks(20); }).wait() == 7);
    limits.pids_max = Limit::of(4);
    apply(cgroup, limits);
    CHECK(Process(cgroup.dir(), [] { return count_forks(20); }).wait() == 3);
    limits.pids_max = Limit::none();
    apply(cgroup, limits);
    CHECK(Process(cgroup.dir(), [] { return count_forks(20); }).wait() == 20);
    CHECK(cgroup.stats().value().pids == 0);
}

TEST_CASE("cpu: the knobs take what is planned") {
    const auto host = real_host_with(Controller::Cpu);
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    const std::pair<std::uint64_t, const char*> table[] = {
        {500'000, "50000 100000\n"}, {1'000, "1000 1000000\n"}, {64'000'000, "6400000 100000\n"}};
    for (const auto& [micros, text] : table) {
        Limits limits;
        limits.cpu_max_micros = Limit::of(micros);
        limits.cpu_weight = 1 + micros % 10'000;
        apply(cgroup, limits);
        CHECK(knob(cgroup, "cpu.max") == text);
    }
    Limits off;
    off.cpu_max_micros = Limit::none();
    apply(cgroup, off);
    CHECK(knob(cgroup, "cpu.max") == "max 100000\n");
}

TEST_CASE("cpuset: a list binds and can be taken off") {
    const auto host = real_host_with(Controller::Cpuset);
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    Limits limits;
    limits.cpuset = "0";
    apply(cgroup, limits);
    CHECK(knob(cgroup, "cpuset.cpus") == "0\n");
    limits.cpuset = "";
    apply(cgroup, limits);
    CHECK(knob(cgroup, "cpuset.cpus") == "\n");
}

TEST_CASE("io: limits of a device are set and taken off") {
    const auto host = real_host_with(Controller::Io);
    if (!host) {
        return;
    }
    std::string device;
    for (const auto& entry : std::filesystem::directory_iterator("/sys/dev/block")) {
        if (!std::filesystem::exists(entry.path() / "partition")) {
            device = entry.path().filename().string();
        }
    }
    if (device.empty()) {
        MESSAGE("skipped: no block device here");
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    if (::faccessat(cgroup.dir(), "io.max", F_OK, 0) != 0) {
        MESSAGE("skipped: this kernel has no io.max");
        return;
    }
    Limits limits;
    limits.io_max = {parse_io_max(device + ":rbps=1M,wiops=5").value()};
    apply(cgroup, limits);
    CHECK(knob(cgroup, "io.max") == device + " rbps=1048576 wbps=max riops=max wiops=5\n");
    limits.io_max = {parse_io_max(device + ":rbps=none,wiops=none").value()};
    apply(cgroup, limits);
    CHECK(knob(cgroup, "io.max") == "");
}

TEST_CASE("io: a weight is held by a knob or refused by its name") {
    const auto host = real_host_with(Controller::Io);
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    Limits limits;
    limits.io_weight = 200;
    const auto applied = cgroup.apply(limits);
    const bool iocost = ::faccessat(cgroup.dir(), "io.weight", F_OK, 0) == 0;
    const bool bfq = ::faccessat(cgroup.dir(), "io.bfq.weight", F_OK, 0) == 0;
    if (iocost) {
        CHECK(knob(cgroup, "io.weight") == "default 200\n");
    }
    if (iocost || bfq) {
        CHECK(applied);
    } else {
        REQUIRE(!applied);
        CHECK(applied.error().kind() == base::ErrorKind::Unsupported);
    }
}
