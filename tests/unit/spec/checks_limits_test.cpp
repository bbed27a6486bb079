#include "tests/unit/spec/support.hpp"

using namespace warren::spec;
using namespace warren::spec::test;
using warren::cgroups::IoMax;
using warren::cgroups::Limit;
using warren::cgroups::Limits;

namespace {

GuestConfig with(const Limits& limits) {
    auto config = machine();
    config.limits = limits;
    return config;
}

IoMax io(std::uint32_t major, std::uint32_t minor, std::optional<Limit> rbps) {
    IoMax device;
    device.major = major;
    device.minor = minor;
    device.rbps = rbps;
    return device;
}

constexpr std::uint64_t kMiB = 1U << 20;

}  // namespace

TEST_CASE("no limits are good limits") {
    for (const auto check : {check_cpu, check_memory, check_pids, check_io, check_hugetlb}) {
        CHECK(places(check, machine()).empty());
    }
}

TEST_CASE("cpu time, weight and set") {
    Limits limits;
    limits.cpu_max_micros = Limit::of(1'000);
    limits.cpu_weight = 1;
    limits.cpuset = "0";
    CHECK(places(check_cpu, with(limits)).empty());
    limits.cpu_max_micros = Limit::none();
    limits.cpu_weight = 10'000;
    limits.cpuset = "";
    CHECK(places(check_cpu, with(limits)).empty());
    limits.cpu_max_micros = Limit::of(999);
    limits.cpu_weight = 0;
    limits.cpuset = "1-";
    CHECK(places(check_cpu, with(limits)) == "--cpus; --cpu-weight; --cpuset");
    limits = {};
    limits.cpu_weight = 10'001;
    CHECK(text_of(check_cpu, with(limits)) == "expected 1 to 10000, found 10001");
}

TEST_CASE("memory bounds stand in order") {
    Limits limits;
    limits.memory_min = kMiB;
    limits.memory_low = kMiB;
    limits.memory_high = Limit::of(2 * kMiB);
    limits.memory_max = Limit::of(2 * kMiB);
    CHECK(places(check_memory, with(limits)).empty());
    limits.memory_high = Limit::of(3 * kMiB);
    CHECK(text_of(check_memory, with(limits)) == "3M is more than --memory 2M");
    limits.memory_high.reset();
    limits.memory_low = 4 * kMiB;
    CHECK(text_of(check_memory, with(limits)) == "4M is more than --memory 2M");
    limits.memory_max = Limit::none();
    CHECK(places(check_memory, with(limits)).empty());
    limits.memory_min = 5 * kMiB;
    CHECK(places(check_memory, with(limits)) == "--memory-guarantee");
    limits.memory_low = 0;
    CHECK(places(check_memory, with(limits)).empty());
    limits.memory_high = Limit::of(kMiB);
    CHECK(text_of(check_memory, with(limits)) == "5M is more than --memory-high 1M");
}

TEST_CASE("limits of nothing make no guest, a guarantee or swap of nothing does") {
    Limits limits;
    limits.memory_max = Limit::of(0);
    CHECK(places(check_memory, with(limits)) == "--memory");
    limits.memory_max.reset();
    limits.memory_high = Limit::of(0);
    CHECK(places(check_memory, with(limits)) == "--memory-high");
    limits = {};
    limits.memory_min = 0;
    limits.memory_low = 0;
    limits.swap_max = Limit::of(0);
    limits.memory_max = Limit::of(kMiB);
    CHECK(places(check_memory, with(limits)).empty());
    limits = {};
    limits.pids_max = Limit::of(0);
    CHECK(places(check_pids, with(limits)) == "--pids");
    limits.pids_max = Limit::of(1);
    CHECK(places(check_pids, with(limits)).empty());
}

TEST_CASE("io limits name each device once and something to limit") {
    Limits limits;
    limits.io_weight = 100;
    limits.io_max = {io(8, 0, Limit::of(1)), io(8, 16, Limit::none())};
    CHECK(places(check_io, with(limits)).empty());
    limits.io_weight = 0;
    limits.io_max = {io(8, 0, Limit::of(1)),
                     io(8, 0, Limit::of(2)),
                     io(8, 1, std::nullopt),
                     io(8, 2, Limit::of(0))};
    CHECK(places(check_io, with(limits)) == "--io-weight; --io-max 2; --io-max 3; --io-max 4");
    limits = {};
    for (std::uint32_t minor = 0; minor < 65; ++minor) {
        limits.io_max.push_back(io(8, minor, Limit::of(1)));
    }
    CHECK(text_of(check_io, with(limits)) == "more than 64 devices");
}

TEST_CASE("a page size is nothing but a size: it becomes a file's name") {
    Limits limits;
    limits.hugetlb = {{"2MB", Limit::of(kMiB)}, {"1GB", Limit::none()}, {"64KB", Limit::of(0)}};
    CHECK(places(check_hugetlb, with(limits)).empty());
    for (const char* bad :
         {"", "MB", "2M", "2mb", "0MB", "02MB", "../2MB", "2/MB", "12345MB", "2 MB"}) {
        limits.hugetlb = {{bad, Limit::of(kMiB)}};
        CHECK(places(check_hugetlb, with(limits)) == "--hugepages 1");
    }
    limits.hugetlb = {{"2MB", Limit::of(kMiB)}, {"2MB", Limit::of(1)}};
    CHECK(places(check_hugetlb, with(limits)) == "--hugepages 2");
}
