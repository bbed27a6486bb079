#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "cgroups/limits.hpp"
#include "support.hpp"

using namespace warren;
using namespace warren::cgroups;

namespace {

base::Result<Limits> read(const std::string& text) {
    const auto json = TRY(base::parse_json(text, "limits"));
    const auto reader = TRY(base::JsonReader::of(json, "/limits"));
    return limits_from_json(reader);
}

}  // namespace

TEST_CASE("limits survive the way to JSON and back") {
    Limits limits;
    CHECK(read(base::dump_json(to_json(limits))).value() == limits);
    CHECK(base::dump_json(to_json(limits)) == "{}");
    limits.cpu_max_micros = Limit::of(1'500'000);
    limits.cpu_weight = 300;
    limits.cpuset = "0-1,3";
    limits.memory_max = Limit::of(512U << 20U);
    limits.memory_high = Limit::none();
    limits.memory_low = 1;
    limits.memory_min = 0;
    limits.swap_max = Limit::of(0);
    limits.pids_max = Limit::of(100);
    limits.io_weight = 10'000;
    limits.io_max = {{8, 16, Limit::of(10), Limit::none(), {}, Limit::of(5)}};
    limits.hugetlb = {{"2MB", Limit::of(4U << 20U)}, {"1GB", Limit::none()}};
    const auto text = base::dump_json(to_json(limits));
    CHECK(text == R"({"cpu_max_micros":1500000,"cpu_weight":300,"cpuset":"0-1,3",)"
                  R"("memory_max_bytes":536870912,"memory_high_bytes":"max","memory_low_bytes":1,)"
                  R"("memory_min_bytes":0,"swap_max_bytes":0,"pids_max":100,"io_weight":10000,)"
                  R"("io_max":[{"device":"8:16","rbps":10,"wbps":"max","wiops":5}],)"
                  R"("hugetlb":[{"page_size":"2MB","max_bytes":4194304},)"
                  R"({"page_size":"1GB","max_bytes":"max"}]})");
    CHECK(read(text).value() == limits);
    limits = {};
    limits.cpuset = "";
    CHECK(read(base::dump_json(to_json(limits))).value() == limits);
}

TEST_CASE("limits_from_json says where it does not understand") {
    const std::pair<const char*, const char*> bad[] = {
        {R"({"cpus":1})", "/limits/cpus"},
        {R"({"cpu_max_micros":999})", "/limits/cpu_max_micros"},
        {R"({"cpu_max_micros":1000000000001})", "/limits/cpu_max_micros"},
        {R"({"cpu_max_micros":"none"})", "/limits/cpu_max_micros"},
        {R"({"cpu_max_micros":1.5})", "/limits/cpu_max_micros"},
        {R"({"cpu_weight":0})", "/limits/cpu_weight"},
        {R"({"cpu_weight":10001})", "/limits/cpu_weight"},
        {R"({"cpu_weight":"max"})", "/limits/cpu_weight"},
        {R"({"cpuset":"1-0"})", "/limits/cpuset"},
        {R"({"cpuset":3})", "/limits/cpuset"},
        {R"({"memory_max_bytes":-1})", "/limits/memory_max_bytes"},
        {R"({"memory_max_bytes":18446744073709551615})", "/limits/memory_max_bytes"},
        {R"({"memory_max_bytes":[1]})", "/limits/memory_max_bytes"},
        {R"({"memory_low_bytes":"max"})", "/limits/memory_low_bytes"},
        {R"({"pids_max":0})", "/limits/pids_max"},
        {R"({"io_max":[{"device":"8"}]})", "/limits/io_max/0/device"},
        {R"({"io_max":[{"device":"8:0:1"}]})", "/limits/io_max/0/device"},
        {R"({"io_max":[{"device":"8:0","rbps":0}]})", "/limits/io_max/0/rbps"},
        {R"({"io_max":[{"device":"8:0"},{"device":"8:1","bps":1}]})", "/limits/io_max/1/bps"},
        {R"({"io_max":{}})", "/limits/io_max"},
        {R"({"hugetlb":[{"page_size":"../../x"}]})", "/limits/hugetlb/0/page_size"},
        {R"({"hugetlb":[{"page_size":"2MB"}]})", "/limits/hugetlb/0/max_bytes"},
    };
    for (const auto& wrong : bad) {
        const auto* text = wrong.first;
        CAPTURE(text);
        const auto limits = read(text);
        REQUIRE(!limits);
        CHECK(limits.error().place() == wrong.second);
        CHECK(limits.error().kind() == base::ErrorKind::Usage);
    }
}

TEST_CASE("limits_from_json normalises lists") {
    CHECK(read(R"({"cpuset":"3,1,2"})").value().cpuset == "1-3");
    const auto limits = read(
        R"({"io_max":[{"device":"8:0","rbps":1},{"device":"8:0","wbps":2},{"device":"8:0","rbps":3}]})");
    CHECK(limits.value().io_max == std::vector<IoMax>{{8, 0, Limit::of(3), Limit::of(2), {}, {}}});
}
