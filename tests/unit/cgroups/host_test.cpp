#include "cgroups/host.hpp"

#include "support.hpp"

using namespace warren;
using namespace warren::cgroups;
using warren::cgroups::test::TempDir;

namespace {

constexpr const char* kHybridMounts =
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "38 31 0:35 / /sys/fs/cgroup/blkio rw - cgroup cgroup rw,blkio\n"
    "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

void lay_host(const TempDir& dir, const std::string& mounts, const std::string& release) {
    dir.write("proc/self/mountinfo", mounts);
    dir.write("proc/self/cgroup", "4:memory:/x\n0::/\n");
    dir.write("proc/sys/kernel/osrelease", release + "\n");
}

void lay_unified(const TempDir& dir, const std::string& release = "6.1.0-18-amd64") {
    lay_host(dir, "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n", release);
    dir.write("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma misc\n");
}

std::string refusal(const Host& host, const Limits& limits) {
    const auto status = check_limits(host, limits);
    REQUIRE(!status);
    CHECK(status.error().kind() == base::ErrorKind::Unsupported);
    return status.error().describe();
}

}  // namespace

TEST_CASE("probe_host knows a unified host") {
    const TempDir dir;
    lay_unified(dir);
    dir.make_dir("run/systemd/system");
    dir.write("proc/1/comm", "systemd\n");
    dir.write("proc/pressure/cpu", "some avg10=0.00\n");
    const auto host = probe_host(dir.path()).value();
    CHECK(host.mode == HostMode::Unified);
    CHECK(host.mount_point == "/sys/fs/cgroup");
    CHECK(host.own_path == "/");
    CHECK(host.systemd);
    CHECK(has_pressure(dir.path()));
    CHECK(host.kill);
    CHECK(host.controllers == std::set{Controller::Cpu,
                                       Controller::Cpuset,
                                       Controller::Memory,
                                       Controller::Io,
                                       Controller::Pids,
                                       Controller::Hugetlb});
    CHECK(host.elsewhere.empty());
    Limits limits;
    limits.memory_max = Limit::of(1);
    CHECK(check_limits(host, limits));
}

TEST_CASE("systemd is there when it is the first process") {
    const TempDir dir;
    lay_unified(dir);
    CHECK(!probe_host(dir.path()).value().systemd);
    dir.write("proc/1/comm", "systemd\n");
    CHECK(!probe_host(dir.path()).value().systemd);
    dir.make_dir("run/systemd/system");
    CHECK(probe_host(dir.path()).value().systemd);
    dir.write("proc/1/comm", "init\n");
    CHECK(!probe_host(dir.path()).value().systemd);
}

TEST_CASE("probe_host knows a hybrid host, and where its controllers are") {
    const TempDir dir;
    lay_host(dir, kHybridMounts, "5.10.0");
    dir.write("sys/fs/cgroup/unified/cgroup.controllers", "\n");
    const auto host = probe_host(dir.path()).value();
    CHECK(host.mode == HostMode::Hybrid);
    CHECK(host.mount_point == "/sys/fs/cgroup/unified");
    CHECK(!host.systemd);
    CHECK(!has_pressure(dir.path()));
    CHECK(!host.kill);
    CHECK(host.controllers.empty());
    CHECK(host.elsewhere ==
          std::map<Controller, std::string>{{Controller::Cpu, "/sys/fs/cgroup/cpu,cpuacct"},
                                            {Controller::Memory, "/sys/fs/cgroup/memory"},
                                            {Controller::Io, "/sys/fs/cgroup/blkio"}});
}

TEST_CASE("probe_host takes a controller that v2 has, whatever else is mounted") {
    const TempDir dir;
    lay_host(dir, kHybridMounts, "5.10.0");
    dir.write("sys/fs/cgroup/unified/cgroup.controllers", "memory pids\n");
    const auto host = probe_host(dir.path()).value();
    CHECK(host.controllers == std::set{Controller::Memory, Controller::Pids});
    CHECK(host.elsewhere.count(Controller::Memory) == 0);
}

TEST_CASE("probe_host without a v2 tree") {
    const TempDir dir;
    lay_host(dir, "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", "6.1.0");
    const auto host = probe_host(dir.path()).value();
    CHECK(host.mode == HostMode::Absent);
    CHECK(host.elsewhere.at(Controller::Memory) == "/sys/fs/cgroup/memory");
    CHECK(check_limits(host, Limits()));
    Limits limits;
    limits.pids_max = Limit::of(1);
    CHECK(refusal(host, limits).find("systemd.unified_cgroup_hierarchy=1") != std::string::npos);
}

TEST_CASE("probe_host prefers the whole tree in its usual place") {
    const TempDir dir;
    lay_host(dir,
             "1 0 0:1 /x/y /sys/fs/cgroup rw - cgroup2 none rw\n"
             "2 0 0:1 / /mnt rw - cgroup2 none rw\n",
             "6.1.0");
    dir.write("mnt/cgroup.controllers", "pids\n");
    const auto host = probe_host(dir.path()).value();
    CHECK(host.mount_point == "/mnt");
    CHECK(host.mode == HostMode::Unified);
}

TEST_CASE("probe_host reads its own path as the mount shows it") {
    const TempDir dir;
    lay_host(dir, "1 0 0:1 /pod/box /sys/fs/cgroup rw - cgroup2 none rw\n", "5.4.0");
    dir.write("proc/self/cgroup", "0::/pod/box/app\n");
    dir.write("sys/fs/cgroup/cgroup.controllers", "\n");
    dir.write("sys/fs/cgroup/app/cgroup.procs", "");
    auto host = probe_host(dir.path()).value();
    CHECK(host.own_path == "/app");
    CHECK(!host.kill);
    dir.write("sys/fs/cgroup/app/cgroup.kill", "");
    host = probe_host(dir.path()).value();
    CHECK(host.kill);
    dir.write("proc/self/cgroup", "0::/pod/box\n");
    CHECK(probe_host(dir.path()).value().own_path == "/");
}

TEST_CASE("cgroup.kill is known by the kernel's release") {
    const std::pair<const char*, bool> releases[] = {{"5.13.19-2-pve", false},
                                                     {"5.14.0-1-amd64", true},
                                                     {"5.9.0", false},
                                                     {"6.1.0", true},
                                                     {"10.0", true},
                                                     {"4.19.0-rc1", false},
                                                     {"5.14-rc3", true},
                                                     {"strange", false}};
    for (const auto& known : releases) {
        const auto* release = known.first;
        CAPTURE(release);
        const TempDir dir;
        lay_unified(dir, release);
        CHECK(probe_host(dir.path()).value().kill == known.second);
    }
}

TEST_CASE("probe_host says what it could not read") {
    const TempDir dir;
    CHECK(!probe_host(dir.path()));
    lay_host(dir, "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "6.1.0");
    const auto host = probe_host(dir.path());
    REQUIRE(!host);
    CHECK(host.error().describe().find("cgroup.controllers") != std::string::npos);
}

TEST_CASE("check_limits says where the controller is and what to do") {
    const TempDir dir;
    lay_host(dir, kHybridMounts, "5.10.0");
    dir.write("sys/fs/cgroup/unified/cgroup.controllers", "\n");
    const auto host = probe_host(dir.path()).value();
    CHECK(check_limits(host, Limits()));
    Limits limits;
    limits.memory_max = Limit::of(1);
    CHECK(
        refusal(host, limits) ==
        "limit --memory needs the memory controller, which this hybrid host mounts as cgroup v1 at "
        "/sys/fs/cgroup/memory; boot with systemd.unified_cgroup_hierarchy=1 (or "
        "cgroup_no_v1=all), or leave the limit out");
    limits.swap_max = Limit::of(1);
    limits.memory_min = 5;
    limits.io_weight = 5;
    limits.cpu_weight = 1;
    CHECK(refusal(host, limits) ==
          "limit --cpu-weight needs the cpu controller, which this hybrid host mounts as cgroup v1 "
          "at "
          "/sys/fs/cgroup/cpu,cpuacct; limits --memory, --memory-guarantee, --swap need the memory "
          "controller, which this hybrid host mounts as cgroup v1 at /sys/fs/cgroup/memory; limit "
          "--io-weight needs the io controller, which this hybrid host mounts as cgroup v1 at "
          "/sys/fs/cgroup/blkio; boot with systemd.unified_cgroup_hierarchy=1 (or "
          "cgroup_no_v1=all), or leave the limits out");
    limits = {};
    limits.pids_max = Limit::of(1);
    CHECK(refusal(host, limits).find("is not in /sys/fs/cgroup/unified/cgroup.controllers") !=
          std::string::npos);
    limits.pids_max = Limit::none();
    CHECK(check_limits(host, limits));
}

TEST_CASE("check_limits names every option by its own name") {
    Host host;
    host.mode = HostMode::Unified;
    host.mount_point = "/sys/fs/cgroup";
    const auto names = [&host](const char* option, auto set) {
        Limits limits;
        set(limits);
        CHECK(refusal(host, limits).starts_with("limit " + std::string(option) + " needs the "));
    };
    names("--cpus", [](Limits& l) { l.cpu_max_micros = Limit::of(1'000); });
    names("--cpu-weight", [](Limits& l) { l.cpu_weight = 1; });
    names("--cpuset", [](Limits& l) { l.cpuset = "0"; });
    names("--memory", [](Limits& l) { l.memory_max = Limit::of(1); });
    names("--memory-high", [](Limits& l) { l.memory_high = Limit::of(1); });
    names("--memory-guarantee", [](Limits& l) { l.memory_low = 1; });
    names("--memory-guarantee", [](Limits& l) { l.memory_min = 1; });
    names("--memory-guarantee", [](Limits& l) {
        l.memory_low = 0;
        l.memory_min = 1;
    });
    names("--swap", [](Limits& l) { l.swap_max = Limit::of(1); });
    names("--pids", [](Limits& l) { l.pids_max = Limit::of(1); });
    names("--io-weight", [](Limits& l) { l.io_weight = 1; });
    names("--io-max", [](Limits& l) { l.io_max = {{8, 0, Limit::of(1), {}, {}, {}}}; });
    names("--hugepages", [](Limits& l) { l.hugetlb = {{"2MB", Limit::of(1)}}; });
}

TEST_CASE("this machine can be probed") {
    const auto host = probe_host();
    REQUIRE(host);
    if (host.value().mode != HostMode::Absent) {
        CHECK(std::filesystem::exists(host.value().mount_point + "/cgroup.procs"));
    }
}
