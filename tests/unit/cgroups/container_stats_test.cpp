#include "cgroups/container_stats.hpp"

#include <poll.h>

#include "cgroups/container_stats_parse.hpp"
#include "support.hpp"

using namespace warren;
using namespace warren::cgroups;
using namespace warren::cgroups::test;

TEST_CASE("flat and nested files become counters; what is no number is left out") {
    CHECK(parse_counters("low 0\noom_kill 3\nodd\nword x\n") ==
          Counters{{"low", 0}, {"oom_kill", 3}});
    CHECK(parse_io_counters("8:0 rbytes=1 wbytes=2\n259:3 rios=4\n7:0 \nx:y rbytes=1\n") ==
          std::vector<IoCounters>{{8, 0, {{"rbytes", 1}, {"wbytes", 2}}}, {259, 3, {{"rios", 4}}}});
    CHECK(parse_named_counters("mlx5_0 hca_handle=2 hca_object=max\n") ==
          std::map<std::string, Counters>{{"mlx5_0", {{"hca_handle", 2}}}});
    const auto pressure = parse_pressure_file(
        "some avg10=1.25 avg60=0.50 avg300=0.00 total=12345\n"
        "full avg10=99.99 avg60=0.00 avg300=0.01 total=7\n");
    CHECK(pressure == Pressure{{1.25, 0.5, 0, 12345}, {99.99, 0, 0.01, 7}});
}

TEST_CASE("all files of a cgroup with every controller") {
    const TempDir dir;
    dir.write("cgroup.controllers", "cpu io memory hugetlb pids rdma\n");
    dir.write("cpu.stat", "usage_usec 10\nnr_throttled 2\n");
    dir.write("memory.current", "4096\n");
    dir.write("memory.peak", "8192\n");
    dir.write("memory.max", "max\n");
    dir.write("memory.swap.current", "5\n");
    dir.write("memory.swap.max", "6\n");
    dir.write("memory.stat", "anon 1\nfile 2\n");
    dir.write("memory.events", "oom 1\noom_kill 2\n");
    dir.write("memory.swap.events", "fail 3\n");
    dir.write("pids.current", "7\n");
    dir.write("pids.max", "100\n");
    dir.write("io.stat", "8:0 rbytes=1\n");
    dir.write("hugetlb.2MB.current", "2097152\n");
    dir.write("hugetlb.2MB.rsvd.current", "0\n");
    dir.write("hugetlb.2MB.max", "4194304\n");
    dir.write("hugetlb.2MB.events", "max 9\n");
    dir.write("rdma.current", "mlx5_0 hca_handle=2 hca_object=3\n");
    dir.write("cpu.pressure", "some avg10=1.00 avg60=0.00 avg300=0.00 total=1\n");
    const auto fd = base::open_dir(AT_FDCWD, dir.path()).value();
    const auto stats = read_container_stats(fd.get()).value();
    CHECK(stats.cpu.at("nr_throttled") == 2);
    CHECK(stats.memory_bytes == 4096);
    CHECK(stats.memory_peak_bytes == 8192);
    CHECK(stats.memory_max == Limit::none());
    CHECK(stats.swap_bytes == 5);
    CHECK(stats.swap_max == Limit::of(6));
    CHECK(stats.memory.at("file") == 2);
    CHECK(stats.memory_events.at("oom_kill") == 2);
    CHECK(stats.swap_events.at("fail") == 3);
    CHECK(stats.pids == 7);
    CHECK(stats.pids_max == Limit::of(100));
    CHECK(stats.io.size() == 1);
    REQUIRE(stats.hugetlb.size() == 1);
    CHECK(stats.hugetlb.at("2MB") == HugetlbCounters{2097152, Limit::of(4194304), 9});
    CHECK(stats.rdma.at("mlx5_0").at("hca_object") == 3);
    CHECK(stats.pressure.at("cpu").some.avg10 == 1.0);
    CHECK(stats.pressure.size() == 1);
}

TEST_CASE("without controllers what the core counts is there") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    const Process one(cgroup.dir());
    const auto stats = read_container_stats(cgroup.dir());
    if (!stats) {
        FAIL(stats.error().describe());
    }
    CHECK(stats.value().pids == 1);
    CHECK(stats.value().cpu.count("usage_usec") == 1);
    if (host->controllers.count(Controller::Memory) == 0) {
        CHECK(!stats.value().memory_bytes);
        CHECK(OomWatch::open(cgroup.dir()).error().kind() == base::ErrorKind::Unsupported);
    }
}

TEST_CASE("oom kills are told") {
    const auto host = real_host_with(Controller::Memory);
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    Limits limits;
    limits.memory_max = Limit::of(16U << 20U);
    limits.swap_max = Limit::of(0);
    REQUIRE(cgroup.apply(limits));
    auto watch = OomWatch::open(cgroup.dir()).value();
    CHECK(watch.read().value() == 0);
    const auto eat = [] {
        constexpr std::size_t kPage = 4096;
        for (std::size_t i = 0; i < (64U << 20U); i += kPage) {
            auto* page = static_cast<volatile char*>(std::malloc(kPage));
            *page = 1;
        }
        return 0;
    };
    CHECK(Process(cgroup.dir(), eat).wait() == 256 + SIGKILL);
    struct pollfd waiter = {watch.fd(), POLLPRI, 0};
    CHECK(::poll(&waiter, 1, 10000) == 1);
    CHECK(watch.read().value() == 1);
    CHECK(watch.read().value() == 0);
}
