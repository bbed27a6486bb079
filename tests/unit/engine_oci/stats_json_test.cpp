#include "runtime/engine/oci/stats_json.hpp"

#include <limits>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace warren::engine::oci {

namespace {

constexpr auto kNoLimit = std::numeric_limits<std::uint64_t>::max();

}  // namespace

TEST_CASE("counters become runc's stats") {
    cgroups::ContainerStats stats;
    stats.cpu = {{"usage_usec", 3}, {"user_usec", 2}, {"system_usec", 1}, {"nr_throttled", 7}};
    stats.memory_bytes = 100;
    stats.swap_bytes = 11;
    stats.memory_max = cgroups::Limit::of(200);
    stats.memory = {{"file", 40}, {"anon", 60}};
    stats.memory_events = {{"max", 5}};
    stats.pids = 4;
    stats.pids_max = cgroups::Limit::of(9);
    stats.io.push_back({8, 16, {{"rbytes", 1}, {"wbytes", 2}, {"rios", 3}}});
    stats.hugetlb["2MB"] = {4096, cgroups::Limit::of(8192), 1};
    const auto json = stats_json(stats);
    CHECK(json["cpu"]["usage"]["total"] == 3000);
    CHECK(json["cpu"]["usage"]["user"] == 2000);
    CHECK(json["cpu"]["throttling"]["throttledPeriods"] == 7);
    CHECK(json["memory"]["cache"] == 40);
    CHECK(json["memory"]["usage"]["usage"] == 100);
    CHECK(json["memory"]["usage"]["limit"] == 200);
    CHECK(json["memory"]["usage"]["failcnt"] == 5);
    CHECK(json["memory"]["swap"]["usage"] == 111);
    CHECK(json["memory"]["raw"]["anon"] == 60);
    CHECK(json["pids"] == base::Json{{"current", 4}, {"limit", 9}});
    CHECK(json["blkio"]["ioServiceBytesRecursive"][1] ==
          base::Json{{"major", 8}, {"minor", 16}, {"op", "Write"}, {"value", 2}});
    CHECK(json["blkio"]["ioServicedRecursive"][0]["value"] == 3);
    CHECK(json["hugetlb"]["2MB"]["limit"] == 8192);
}

TEST_CASE("what a host does not count is zero, and no limit is the largest number") {
    cgroups::ContainerStats stats;
    stats.pids_max = cgroups::Limit::none();
    const auto json = stats_json(stats);
    CHECK(json["memory"]["usage"]["limit"] == kNoLimit);
    CHECK(json["memory"]["usage"]["usage"] == 0);
    CHECK(json["cpu"]["usage"]["total"] == 0);
    CHECK_FALSE(json["pids"].contains("limit"));
    CHECK_FALSE(json["cpu"].contains("psi"));
}

TEST_CASE("pressure stands beside what is under it") {
    cgroups::ContainerStats stats;
    stats.pressure["memory"].some.avg10 = 1.5;
    stats.pressure["memory"].some.total_micros = 42;
    const auto json = stats_json(stats);
    CHECK(json["memory"]["psi"]["some"]["avg10"] == 1.5);
    CHECK(json["memory"]["psi"]["some"]["total"] == 42);
    CHECK_FALSE(json["blkio"].contains("psi"));
}

}  // namespace warren::engine::oci
