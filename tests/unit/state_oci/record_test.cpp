#include <nlohmann/json.hpp>

#include "tests/unit/state_oci/support.hpp"

using namespace warren::state::oci;
using namespace warren::state::oci::test;
using warren::base::ErrorKind;
using warren::base::Json;

TEST_CASE("ids of containers") {
    for (const std::string& good : {std::string("a"),
                                    std::string("A_b+c.d-e"),
                                    std::string("..."),
                                    std::string(".a"),
                                    std::string("-"),
                                    std::string(255, 'x')}) {
        CAPTURE(good);
        const auto parsed = ContainerId::parse(good);
        REQUIRE(parsed);
        CHECK(parsed.value().str() == good);
    }
    for (const std::string& bad : {std::string(),
                                   std::string("."),
                                   std::string(".."),
                                   std::string("a/b"),
                                   std::string("a b"),
                                   std::string("#1.0"),
                                   std::string("a\0", 2),
                                   std::string("a\n"),
                                   std::string("\xc3\xa4"),
                                   std::string(256, 'x')}) {
        CAPTURE(bad);
        const auto parsed = ContainerId::parse(bad);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().kind() == ErrorKind::Usage);
    }
}

TEST_CASE("a record is read as it was written") {
    const auto full = record("c1");
    CHECK(record_from_json(to_json(full)).value() == full);
    Record least;
    least.id = "c2";
    least.created = full.created;
    CHECK(record_from_json(to_json(least)).value() == least);
    for (const auto phase : {Phase::Creating, Phase::Ready, Phase::Deleting}) {
        auto one = full;
        one.phase = phase;
        CHECK(record_from_json(to_json(one)).value().phase == phase);
    }
}

TEST_CASE("a record that does not say whose its cgroup is") {
    auto json = to_json(record("c1"));
    json.erase("cgroup_is_ours");
    CHECK(record_from_json(json).value().cgroup_is_ours);
}

TEST_CASE("the written form") {
    const auto json = to_json(record("c1"));
    CHECK(json.dump() ==
          R"({"schema_version":1,"id":"c1","phase":"ready","oci_version":"1.2.0",)"
          R"("bundle":"/bundles/c1","rootfs":"/bundles/c1/rootfs",)"
          R"("created":"2026-01-02T03:04:05.000006Z","owner":1000,)"
          R"("annotations":{"a":"b","c/d":"e\n"},)"
          R"("boot_id":"00000000-0000-0000-0000-000000000001",)"
          R"("init":{"pid":4711,"start_time":123456},"cgroup":"machine/c1",)"
          R"("scope":{"name":"libpod-c1.scope","user_manager":true},"cgroup_is_ours":true,)"
          R"("intel_rdt":"group","intel_rdt_made":true,)"
          R"("config":{"user_namespace":false,"read_at_start":true,"read_at_delete":false,)"
          R"("program":"sleep"},"notes":["no keyring"]})");
}

TEST_CASE("what no writer of ours wrote is refused with the place") {
    struct Bad {
        const char* pointer;
        Json value;
    };

    const Bad rows[] = {
        {"/schema_version", 0},
        {"/schema_version", nullptr},
        {"/id", "a/b"},
        {"/id", 1},
        {"/phase", "running"},
        {"/oci_version", nullptr},
        {"/bundle", 1},
        {"/rootfs", nullptr},
        {"/created", "yesterday"},
        {"/owner", -1},
        {"/owner", 4294967296},
        {"/annotations", "x"},
        {"/annotations/a", 1},
        {"/boot_id", nullptr},
        {"/init/pid", 0},
        {"/init/pid", 2147483648},
        {"/init/start_time", "x"},
        {"/cgroup", "a/../../b"},
        {"/scope/name", 1},
        {"/scope/user_manager", nullptr},
        {"/cgroup_is_ours", 1},
        {"/intel_rdt", ".."},
        {"/intel_rdt", "a/b"},
        {"/intel_rdt_made", "yes"},
        {"/config", "x"},
        {"/config/program", 1},
        {"/config/user_namespace", nullptr},
        {"/config/read_at_start", "yes"},
        {"/config/read_at_delete", 0},
        {"/notes", "x"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.pointer);
        auto json = to_json(record("c1"));
        json[Json::json_pointer(row.pointer)] = row.value;
        const auto read = record_from_json(json);
        REQUIRE_FALSE(read);
        CHECK(read.error().place() == row.pointer);
        CHECK(read.error().kind() == ErrorKind::Usage);
    }
}

TEST_CASE("a newer record is not ours to read") {
    auto json = to_json(record("c1"));
    json["schema_version"] = kSchemaVersion + 1;
    const auto read = record_from_json(json);
    REQUIRE_FALSE(read);
    CHECK(read.error().kind() == ErrorKind::Unsupported);
}
