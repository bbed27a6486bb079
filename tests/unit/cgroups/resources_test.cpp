#include "cgroups/resources.hpp"

#include <functional>

#include <doctest/doctest.h>

using namespace warren;
using namespace warren::cgroups;

namespace {

using Fill = std::function<void(Resources&)>;

std::vector<Knob> convert(const Fill& fill) {
    Resources resources;
    fill(resources);
    auto knobs = to_knobs(resources);
    if (!knobs) {
        FAIL(knobs.error().describe());
    }
    return std::move(knobs).value();
}

// "FILE=VALUE;FILE=VALUE", with a '?' behind the file of what may be absent.
std::string text(const Fill& fill) {
    std::string out;
    for (const Knob& knob : convert(fill)) {
        CHECK(knob.controller == knob.file.substr(0, knob.file.find('.')));
        out += (out.empty() ? "" : ";") + knob.file + (knob.if_present ? "?=" : "=") + knob.value;
    }
    return out;
}

std::string place_of_refusal(const Fill& fill) {
    Resources resources;
    fill(resources);
    const auto knobs = to_knobs(resources);
    if (knobs) {
        return "accepted";
    }
    CHECK(knobs.error().kind() == base::ErrorKind::Usage);
    return knobs.error().place();
}

}  // namespace

TEST_CASE("nothing set, or set to what engines send for unset, is no write") {
    CHECK(text([](Resources&) {}).empty());
    CHECK(text([](Resources& r) {
              r.pids_limit = 0;
              r.cpu.shares = 0;
              r.cpu.quota = 0;
              r.cpu.period = 0;
              r.cpu.realtime_runtime = 0;
              r.cpu.realtime_period = 0;
              r.memory.limit = 0;
              r.memory.swap = 0;
              r.memory.reservation = 0;
              r.memory.kernel = 0;
              r.memory.kernel_tcp = 0;
              r.memory.disable_oom_killer = false;
              r.memory.use_hierarchy = true;
              r.memory.check_before_update = true;
              r.block_io.weight = 0;
              r.block_io.leaf_weight = 0;
              r.block_io.weight_device = {{8, 0, 0, 0}};
              r.network.class_id = 0;
          }).empty());
    CHECK(text([](Resources& r) { r.memory.kernel = r.memory.kernel_tcp = -1; }).empty());
}

TEST_CASE("cpu shares become a weight") {
    const auto weight = [](std::uint64_t shares) {
        return text([shares](Resources& r) { r.cpu.shares = shares; });
    };
    CHECK(weight(1) == "cpu.weight=1");
    CHECK(weight(2) == "cpu.weight=1");
    CHECK(weight(29) == "cpu.weight=2");
    CHECK(weight(512) == "cpu.weight=20");
    CHECK(weight(1024) == "cpu.weight=39");
    CHECK(weight(2048) == "cpu.weight=79");
    CHECK(weight(262144) == "cpu.weight=10000");
    CHECK(weight(UINT64_MAX) == "cpu.weight=10000");
}

TEST_CASE("cpu bandwidth") {
    const auto cpu = [](std::optional<std::int64_t> quota,
                        std::optional<std::uint64_t> period,
                        std::optional<std::uint64_t> burst = {}) {
        return text([=](Resources& r) {
            r.cpu.quota = quota;
            r.cpu.period = period;
            r.cpu.burst = burst;
        });
    };
    CHECK(cpu(50000, 100000) == "cpu.max=50000 100000");
    CHECK(cpu(50000, {}) == "cpu.max=50000");
    CHECK(cpu(50000, 0) == "cpu.max=50000");
    CHECK(cpu(-1, {}) == "cpu.max?=max");
    CHECK(cpu(-1, 50000) == "cpu.max?=max 50000");
    CHECK(cpu({}, 50000) == "cpu.max?=max 50000");
    CHECK(cpu(50000, 100000, 20000) == "cpu.max=50000 100000;cpu.max.burst=20000");
    CHECK(cpu({}, {}, 0) == "cpu.max.burst?=0");
    CHECK(cpu(1000, 1000000) == "cpu.max=1000 1000000");
}

TEST_CASE("cpu idle takes the place of the weight") {
    CHECK(text([](Resources& r) { r.cpu.idle = 1; }) == "cpu.idle=1");
    CHECK(text([](Resources& r) {
              r.cpu.idle = 1;
              r.cpu.shares = 1024;
          }) == "cpu.idle=1");
    CHECK(text([](Resources& r) {
              r.cpu.idle = 0;
              r.cpu.shares = 1024;
          }) == "cpu.idle?=0;cpu.weight=39");
}

TEST_CASE("cpusets") {
    CHECK(text([](Resources& r) {
              r.cpu.cpus = "0-1,3";
              r.cpu.mems = "0";
          }) == "cpuset.cpus=0-1,3;cpuset.mems=0");
}

TEST_CASE("memory and swap") {
    const auto memory = [](std::int64_t limit, std::int64_t swap) {
        return text([=](Resources& r) {
            r.memory.limit = limit;
            r.memory.swap = swap;
        });
    };
    CHECK(memory(1000, 0) == "memory.max=1000");
    CHECK(memory(1000, 3000) == "memory.max=1000;memory.swap.max=2000");
    CHECK(memory(1000, 1000) == "memory.max=1000;memory.swap.max?=0");
    CHECK(memory(1000, -1) == "memory.max=1000;memory.swap.max?=max");
    CHECK(memory(-1, 0) == "memory.max?=max;memory.swap.max?=max");
    CHECK(memory(-1, -1) == "memory.max?=max;memory.swap.max?=max");
    CHECK(memory(0, -1) == "memory.swap.max?=max");
    CHECK(memory(INT64_MAX, 0) == "memory.max=9223372036854775807");
    CHECK(text([](Resources& r) { r.memory.reservation = 500; }) == "memory.low=500");
    CHECK(text([](Resources& r) { r.memory.reservation = -1; }) == "memory.low?=0");
}

TEST_CASE("pids") {
    CHECK(text([](Resources& r) { r.pids_limit = 100; }) == "pids.max=100");
    CHECK(text([](Resources& r) { r.pids_limit = -1; }) == "pids.max?=max");
}

TEST_CASE("block io weights go to both schedulers") {
    const auto weight = [](std::uint16_t value) {
        return text([value](Resources& r) { r.block_io.weight = value; });
    };
    CHECK(weight(10) == "io.bfq.weight?=default 10;io.weight?=default 1");
    CHECK(weight(500) == "io.bfq.weight?=default 500;io.weight?=default 4950");
    CHECK(weight(1000) == "io.bfq.weight?=default 1000;io.weight?=default 10000");
    CHECK(text([](Resources& r) {
              r.block_io.weight_device = {{8, 16, 100, {}}};
          }) == "io.bfq.weight?=8:16 100;io.weight?=8:16 910");
}

TEST_CASE("throttling is one line a device") {
    CHECK(text([](Resources& r) {
              r.block_io.throttle_read_bps = {{8, 0, 1048576}, {8, 16, 5}};
              r.block_io.throttle_write_bps = {{8, 0, 0}};
              r.block_io.throttle_read_iops = {{8, 0, 7}};
              r.block_io.throttle_write_iops = {{259, 0, 0}};
          }) ==
          "io.max=8:0 rbps=1048576 wbps=max riops=7;io.max=8:16 rbps=5;io.max?=259:0 wiops=max");
}

TEST_CASE("huge pages and rdma") {
    CHECK(text([](Resources& r) {
              r.hugepage_limits = {{"2MB", 4194304}, {"1GB", UINT64_MAX}, {"64KB", 0}};
          }) ==
          "hugetlb.2MB.rsvd.max?=4194304;hugetlb.2MB.max=4194304;hugetlb.1GB.rsvd.max?=max;"
          "hugetlb.1GB.max?=max;hugetlb.64KB.rsvd.max?=0;hugetlb.64KB.max=0");
    CHECK(text([](Resources& r) {
              r.rdma["mlx5_1"] = {3, 10000};
              r.rdma["mlx4_0"] = {{}, 1000};
              r.rdma["rxe3"] = {};
          }) ==
          "rdma.max=mlx4_0 hca_handle=max hca_object=1000;"
          "rdma.max=mlx5_1 hca_handle=3 hca_object=10000;"
          "rdma.max?=rxe3 hca_handle=max hca_object=max");
}

TEST_CASE("unified files are written last, a line at a time") {
    CHECK(text([](Resources& r) {
              r.memory.limit = 5;
              r.unified["memory.high"] = "4";
              r.unified["pids.max"] = "max";
              r.unified["io.max"] = "8:0 rbps=1\n8:16 wbps=2\n";
              r.unified["cpuset.cpus"] = "";
              r.unified["cgroup.max.depth"] = "3";
              r.unified["hugetlb.1GB.rsvd.max"] = "0";
          }) ==
          "memory.max=5;cgroup.max.depth=3;cpuset.cpus=\n;hugetlb.1GB.rsvd.max=0;io.max=8:0 rbps=1;"
          "io.max=8:16 wbps=2;memory.high=4;pids.max?=max");
}

TEST_CASE("what cgroup v2 cannot do is refused at its place") {
    const std::vector<std::pair<std::string, Fill>> cases = {
        {"/cpu/realtimeRuntime", [](Resources& r) { r.cpu.realtime_runtime = 950000; }},
        {"/cpu/realtimePeriod", [](Resources& r) { r.cpu.realtime_period = 1000000; }},
        {"/cpu/idle", [](Resources& r) { r.cpu.idle = 2; }},
        {"/cpu/idle", [](Resources& r) { r.cpu.idle = -1; }},
        {"/cpu/quota", [](Resources& r) { r.cpu.quota = 999; }},
        {"/cpu/period", [](Resources& r) { r.cpu.period = 999; }},
        {"/cpu/period", [](Resources& r) { r.cpu.period = 1000001; }},
        {"/cpu/burst",
         [](Resources& r) {
             r.cpu.quota = 1000;
             r.cpu.burst = 1001;
         }},
        {"/cpu/cpus", [](Resources& r) { r.cpu.cpus = "0-"; }},
        {"/cpu/cpus", [](Resources& r) { r.cpu.cpus = "none"; }},
        {"/cpu/mems", [](Resources& r) { r.cpu.mems = "a"; }},
        {"/memory/kernel", [](Resources& r) { r.memory.kernel = 1; }},
        {"/memory/kernelTCP", [](Resources& r) { r.memory.kernel_tcp = 1; }},
        {"/memory/swappiness", [](Resources& r) { r.memory.swappiness = 0; }},
        {"/memory/disableOOMKiller", [](Resources& r) { r.memory.disable_oom_killer = true; }},
        {"/memory/useHierarchy", [](Resources& r) { r.memory.use_hierarchy = false; }},
        {"/memory/swap", [](Resources& r) { r.memory.swap = 1000; }},
        {"/memory/swap",
         [](Resources& r) {
             r.memory.limit = -1;
             r.memory.swap = 1000;
         }},
        {"/memory/swap",
         [](Resources& r) {
             r.memory.limit = 1001;
             r.memory.swap = 1000;
         }},
        {"/pids/limit", [](Resources& r) { r.pids_limit = 4194305; }},
        {"/blockIO/weight", [](Resources& r) { r.block_io.weight = 9; }},
        {"/blockIO/weight", [](Resources& r) { r.block_io.weight = 1001; }},
        {"/blockIO/leafWeight", [](Resources& r) { r.block_io.leaf_weight = 10; }},
        {"/blockIO/weightDevice/1/leafWeight",
         [](Resources& r) {
             r.block_io.weight_device = {{8, 0, 10, {}}, {8, 1, {}, 10}};
         }},
        {"/blockIO/weightDevice/0/weight",
         [](Resources& r) {
             r.block_io.weight_device = {{8, 0, 1, {}}};
         }},
        {"/hugepageLimits/1/pageSize",
         [](Resources& r) {
             r.hugepage_limits = {{"2MB", 1}, {"2MB/../x", 1}};
         }},
        {"/rdma/a b",
         [](Resources& r) {
             r.rdma["a b"] = {1, 1};
         }},
        {"/network/classID", [](Resources& r) { r.network.class_id = 1; }},
        {"/network/priorities",
         [](Resources& r) {
             r.network.priorities = {{"eth0", 1}};
         }},
    };
    for (const auto& refused : cases) {
        const auto& place = refused.first;
        CAPTURE(place);
        CHECK(place_of_refusal(refused.second) == "/linux/resources" + place);
    }
}

TEST_CASE("unified names stay files of the cgroup that limit it") {
    for (const char* bad : {"memory/max",
                            "../memory.max",
                            "memory",
                            ".max",
                            "memory.",
                            "memory..max",
                            "",
                            "cgroup.procs",
                            "cgroup.kill",
                            "cgroup.freeze",
                            "cgroup.subtree_control",
                            "cgroup.type",
                            "memory.max\n"}) {
        CAPTURE(bad);
        Resources resources;
        resources.unified[bad] = "1";
        const auto knobs = to_knobs(resources, "");
        REQUIRE(!knobs);
        CHECK(knobs.error().place().starts_with("/unified/"));
    }
    Resources resources;
    resources.unified["a/b~c"] = "1";
    CHECK(to_knobs(resources, "").error().place() == "/unified/a~1b~0c");
}
