#include "cgroups/stats_parse.hpp"
#include "support.hpp"

using namespace warren;
using namespace warren::cgroups;
using namespace warren::cgroups::test;

TEST_CASE("parse_cpu_stat") {
    Stats stats;
    parse_cpu_stat(
        "usage_usec 12\nuser_usec 7\nsystem_usec 5\nnice_usec 1\nnr_periods 3\nthrottled_usec 9\n",
        stats);
    CHECK(stats.cpu_usage_micros == 12);
    CHECK(stats.cpu_user_micros == 7);
    CHECK(stats.cpu_system_micros == 5);
    CHECK(stats.cpu_throttled_micros == 9);
    Stats less;
    parse_cpu_stat("usage_usec 12", less);
    CHECK(less.cpu_usage_micros == 12);
    CHECK(!less.cpu_throttled_micros);
}

TEST_CASE("parse_memory_stat and parse_memory_events take their lines only") {
    Stats stats;
    parse_memory_stat("anon 10\nfile 20\nfile_mapped 30\nanon_thp 40\n", stats);
    parse_memory_events("low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\noom_group_kill 6\n", stats);
    CHECK(stats.memory_anon_bytes == 10);
    CHECK(stats.memory_file_bytes == 20);
    CHECK(stats.memory_max_hits == 3);
    CHECK(stats.oom_kills == 5);
}

TEST_CASE("parse_io_stat sums over devices") {
    Stats stats;
    parse_io_stat(
        "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n"
        "8:16 rbytes=10 wbytes=20 rios=30 wios=40 cost.usage=7\n"
        "7:0 \n",
        stats);
    CHECK(stats.io_read_bytes == 11);
    CHECK(stats.io_write_bytes == 22);
    CHECK(stats.io_reads == 33);
    CHECK(stats.io_writes == 44);
    Stats idle;
    parse_io_stat("", idle);
    CHECK(idle.io_read_bytes == 0);
}

TEST_CASE("parse_pressure takes the ten-second average of some") {
    CHECK(parse_pressure("some avg10=1.25 avg60=2.00 avg300=3.00 total=4\n"
                         "full avg10=9.00 avg60=2.00 avg300=3.00 total=4\n") == 1.25);
    CHECK(parse_pressure("full avg10=9.00\nsome avg10=0.03 avg60=1.00") == 0.03);
    CHECK(parse_pressure("some avg10=100.00 avg60=1.00") == 100.0);
    for (const char* bad : {"", "some", "some avg10=", "some avg10=x.y", "full avg10=1.00"}) {
        CAPTURE(bad);
        CHECK(!parse_pressure(bad));
    }
}

TEST_CASE("parsers survive what is no such file") {
    Stats stats;
    for (const char* text : {"",
                             "\n\n",
                             "usage_usec",
                             "usage_usec -1",
                             "usage_usec 99999999999999999999",
                             "= = =",
                             "8:0 rbytes",
                             "8:0 rbytes=",
                             "\xff\xfe 1"}) {
        parse_cpu_stat(text, stats);
        parse_memory_stat(text, stats);
        parse_memory_events(text, stats);
        parse_io_stat(text, stats);
    }
    CHECK(!stats.cpu_usage_micros);
    CHECK(!stats.memory_anon_bytes);
    CHECK(!stats.oom_kills);
    CHECK(stats.io_read_bytes == 0);
}

TEST_CASE("stats come from the files that are there") {
    const TempDir dir;
    Host host;
    host.mode = HostMode::Unified;
    host.mount_point = dir.path();
    dir.write("g/cpu.stat", "usage_usec 5\n");
    dir.write("g/cgroup.threads", "1\n2\n");
    dir.write("g/sub/cgroup.threads", "3\n");
    const auto cgroup = Cgroup::open(host, "/g");
    REQUIRE(cgroup);
    auto stats = cgroup.value().stats().value();
    CHECK(stats.cpu_usage_micros == 5);
    CHECK(stats.pids == 3);
    CHECK(!stats.memory_bytes);
    CHECK(!stats.io_reads);
    CHECK(stats.pressure_some_avg10.empty());
    dir.write("g/pids.current", "7\n");
    dir.write("g/pids.max", "max\n");
    dir.write("g/memory.current", "4096\n");
    dir.write("g/memory.max", "8192\n");
    dir.write("g/memory.peak", "5000\n");
    dir.write("g/memory.swap.current", "0\n");
    dir.write("g/memory.pressure", "some avg10=0.50 avg60=0.00\n");
    stats = cgroup.value().stats().value();
    CHECK(stats.pids == 7);
    CHECK(!stats.pids_max);
    CHECK(stats.memory_bytes == 4096);
    CHECK(stats.memory_max_bytes == 8192);
    CHECK(stats.memory_peak_bytes == 5000);
    CHECK(stats.swap_bytes == 0);
    CHECK(stats.pressure_some_avg10.at("memory") == 0.5);
    dir.write("g/memory.current", "many\n");
    CHECK(cgroup.value().stats().error().describe().find("memory.current") != std::string::npos);
}

TEST_CASE("a real cgroup has stats until it is removed") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    {
        const Process first(cgroup.dir());
        const Process second(cgroup.dir());
        const auto stats = cgroup.stats();
        REQUIRE(stats);
        CHECK(stats.value().pids == 2);
        CHECK(stats.value().cpu_usage_micros.has_value());
        CHECK(stats.value().memory_bytes.has_value() ==
              (host->controllers.count(Controller::Memory) != 0));
    }
    REQUIRE(remove_cgroup(*host, tree.path("g"), std::chrono::seconds(10)));
    const auto gone = cgroup.stats();
    CHECK(
        (gone ? !gone.value().cpu_usage_micros : gone.error().kind() == base::ErrorKind::NotFound));
}
