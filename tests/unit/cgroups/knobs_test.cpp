#include "cgroups/knobs.hpp"

#include "support.hpp"

using namespace warren;
using namespace warren::cgroups;
using warren::cgroups::test::TempDir;

namespace {

// One "FILE <- TEXT" a line, "?" where the file may be absent: reads as a golden file.
std::string plan(const Limits& limits, const MemoryCeilings& now = {}) {
    std::string text;
    for (const KnobWrite& write : plan_knobs(limits, now)) {
        auto value = write.text;
        if (value.ends_with('\n')) {
            value.replace(value.size() - 1, 1, "\\n");
        }
        text += write.file + (write.if_present ? " ?<- " : " <- ") + value + "\n";
    }
    return text;
}

std::string cpu_max(std::uint64_t micros) {
    Limits limits;
    limits.cpu_max_micros = Limit::of(micros);
    return plan(limits);
}

}  // namespace

TEST_CASE("no limits, no writes") {
    CHECK(plan(Limits()) == "");
}

TEST_CASE("every limit has its knob") {
    Limits limits;
    limits.cpu_max_micros = Limit::of(1'500'000);
    limits.cpu_weight = 300;
    limits.cpuset = "0-1,3";
    limits.memory_max = Limit::of(1000);
    limits.memory_high = Limit::of(900);
    limits.memory_low = 500;
    limits.memory_min = 400;
    limits.swap_max = Limit::of(0);
    limits.pids_max = Limit::of(64);
    limits.io_weight = 200;
    limits.io_max = {{8, 0, Limit::of(10), Limit::none(), Limit::of(3), {}},
                     {8, 16, {}, {}, {}, Limit::of(4)}};
    limits.hugetlb = {{"2MB", Limit::of(4096)}};
    CHECK(plan(limits) ==
          "pids.max <- 64\n"
          "cpuset.cpus <- 0-1,3\\n\n"
          "cpu.weight <- 300\n"
          "cpu.max <- 150000 100000\n"
          "memory.min <- 400\n"
          "memory.low <- 500\n"
          "memory.high <- 900\n"
          "memory.swap.max <- 0\n"
          "memory.max <- 1000\n"
          "io.weight ?<- default 200\n"
          "io.bfq.weight ?<- default 109\n"
          "io.max <- 8:0 rbps=10 wbps=max riops=3\n"
          "io.max <- 8:16 wiops=4\n"
          "hugetlb.2MB.rsvd.max ?<- 4096\n"
          "hugetlb.2MB.max <- 4096\n");
}

TEST_CASE("taking a limit off needs no knob to be there") {
    Limits limits;
    limits.cpu_max_micros = Limit::none();
    limits.cpuset = "";
    limits.memory_max = Limit::none();
    limits.memory_high = Limit::none();
    limits.memory_low = 0;
    limits.memory_min = 0;
    limits.swap_max = Limit::none();
    limits.pids_max = Limit::none();
    limits.io_max = {{8, 0, Limit::none(), {}, {}, Limit::none()}, {8, 16, {}, {}, {}, {}}};
    limits.hugetlb = {{"1GB", Limit::none()}};
    CHECK(plan(limits) ==
          "pids.max ?<- max\n"
          "cpuset.cpus ?<- \\n\n"
          "cpu.max ?<- max 100000\n"
          "memory.min ?<- 0\n"
          "memory.low ?<- 0\n"
          "memory.high ?<- max\n"
          "memory.swap.max ?<- max\n"
          "memory.max ?<- max\n"
          "io.max ?<- 8:0 rbps=max wiops=max\n"
          "hugetlb.1GB.rsvd.max ?<- max\n"
          "hugetlb.1GB.max ?<- max\n");
}

TEST_CASE("cpu.max keeps its quota above the kernel's least") {
    CHECK(cpu_max(1'000'000) == "cpu.max <- 100000 100000\n");
    CHECK(cpu_max(500'000) == "cpu.max <- 50000 100000\n");
    CHECK(cpu_max(10'000) == "cpu.max <- 1000 100000\n");
    CHECK(cpu_max(9'999) == "cpu.max <- 9999 1000000\n");
    CHECK(cpu_max(1'000) == "cpu.max <- 1000 1000000\n");
    CHECK(cpu_max(1) == "cpu.max <- 1000 1000000\n");
    CHECK(cpu_max(1'000'000'000'000) == "cpu.max <- 100000000000 100000\n");
}

TEST_CASE("bfq's weights are mapped end to end") {
    for (const auto& [weight, bfq] :
         {std::pair<std::uint64_t, const char*>{1, "1"}, {100, "100"}, {10'000, "1000"}}) {
        Limits limits;
        limits.io_weight = weight;
        CHECK(plan(limits) == "io.weight ?<- default " + std::to_string(weight) +
                                  "\nio.bfq.weight ?<- default " + bfq + "\n");
    }
}

TEST_CASE("memory is raised before anything is lowered") {
    Limits limits;
    limits.memory_max = Limit::of(2000);
    limits.memory_high = Limit::of(1500);
    limits.swap_max = Limit::of(100);
    SUBCASE("both down") {
        CHECK(plan(limits, {Limit::of(3000), Limit::of(200)}) ==
              "memory.high <- 1500\nmemory.swap.max <- 100\nmemory.max <- 2000\n");
    }
    SUBCASE("memory up, swap down") {
        CHECK(plan(limits, {Limit::of(1000), Limit::of(200)}) ==
              "memory.max <- 2000\nmemory.high <- 1500\nmemory.swap.max <- 100\n");
    }
    SUBCASE("memory down, swap up") {
        CHECK(plan(limits, {Limit::none(), Limit::of(50)}) ==
              "memory.swap.max <- 100\nmemory.high <- 1500\nmemory.max <- 2000\n");
    }
    SUBCASE("both up") {
        CHECK(plan(limits, {Limit::of(1000), Limit::of(50)}) ==
              "memory.swap.max <- 100\nmemory.max <- 2000\nmemory.high <- 1500\n");
    }
    SUBCASE("off is up") {
        limits.memory_max = Limit::none();
        CHECK(plan(limits, {Limit::of(1000), Limit::none()}) ==
              "memory.max ?<- max\nmemory.high <- 1500\nmemory.swap.max <- 100\n");
    }
}

TEST_CASE("read_memory_ceilings reads files, and their absence as no limit") {
    const TempDir dir;
    const auto fd = base::open_dir(AT_FDCWD, dir.path());
    auto now = read_memory_ceilings(fd.value().get());
    CHECK(now.value().memory_max == Limit::none());
    CHECK(now.value().swap_max == Limit::none());
    dir.write("memory.max", "4096\n");
    dir.write("memory.swap.max", "max\n");
    now = read_memory_ceilings(fd.value().get());
    CHECK(now.value().memory_max == Limit::of(4096));
    CHECK(now.value().swap_max == Limit::none());
    dir.write("memory.max", "lots\n");
    CHECK(read_memory_ceilings(fd.value().get()).error().describe() ==
          "parse memory.max: unexpected \"lots\"");
}

TEST_CASE("write_knobs writes what is there and names what is not") {
    const TempDir dir;
    const auto fd = base::open_dir(AT_FDCWD, dir.path());
    dir.write("pids.max", "");
    CHECK(write_knobs(fd.value().get(), {{"pids.max", "5"}, {"memory.max", "max", true}}));
    CHECK(dir.read("pids.max") == "5");
    const auto missing = write_knobs(fd.value().get(), {{"memory.max", "7"}});
    REQUIRE(!missing);
    CHECK(missing.error().kind() == base::ErrorKind::Unsupported);
    CHECK(missing.error().describe().find("memory.max") != std::string::npos);
}

TEST_CASE("an io weight is held by either of two knobs") {
    const TempDir dir;
    const auto fd = base::open_dir(AT_FDCWD, dir.path());
    Limits limits;
    limits.io_weight = 50;
    const auto writes = plan_knobs(limits, {});
    const auto neither = write_knobs(fd.value().get(), writes);
    REQUIRE(!neither);
    CHECK(neither.error().kind() == base::ErrorKind::Unsupported);
    dir.write("io.bfq.weight", "");
    CHECK(write_knobs(fd.value().get(), writes));
    CHECK(dir.read("io.bfq.weight") == "default 50");
    dir.write("io.weight", "");
    CHECK(write_knobs(fd.value().get(), writes));
    CHECK(dir.read("io.weight") == "default 50");
}
