#include "runtime/state/oci/exec_record.hpp"

#include <cstring>

#include <nlohmann/json.hpp>

#include "tests/unit/state_oci/support.hpp"

using namespace warren::state::oci;
using namespace warren::state::oci::test;
using warren::base::ErrorKind;
using warren::base::Json;

namespace {

ExecRecord full() {
    ExecRecord record;
    record.process = R"({"cwd":"/","args":["a \"b\""]})";
    record.mount_namespace = false;
    record.personality = 8;
    record.filter.filter_flags = 2;
    record.filter.instructions = {{0x20, 0, 0, 4}, {0x8015, 0xfe, 1, 0xc000003e}, {6, 0, 0, 0}};
    return record;
}

bool same(const ExecRecord& a, const ExecRecord& b) {
    const auto& x = a.filter.instructions;
    const auto& y = b.filter.instructions;
    return a.process == b.process && a.mount_namespace == b.mount_namespace &&
           a.personality == b.personality && a.filter.filter_flags == b.filter.filter_flags &&
           !a.filter.listener && !b.filter.listener && x.size() == y.size() &&
           (x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(x[0])) == 0);
}

}  // namespace

TEST_CASE("an exec record is read as it was written") {
    for (const auto& record : {full(), ExecRecord()}) {
        const auto again = exec_record_from_json(to_json(record));
        REQUIRE(again);
        REQUIRE(again.value());
        CHECK(same(*again.value(), record));
    }
}

TEST_CASE("the written form of an exec record") {
    CHECK(to_json(full()).dump() ==
          R"({"schema_version":1,"process":"{\"cwd\":\"/\",\"args\":[\"a \\\"b\\\"\"]}",)"
          R"("mount_namespace":false,"personality":8,)"
          R"("filter":{"flags":2,"program":"00200000000000048015fe01c000003e0006000000000000"}})");
    CHECK(to_json(ExecRecord()).dump() == R"({"schema_version":1,"mount_namespace":true})");
}

TEST_CASE("an exec record of a newer warren-oci is none") {
    const auto read = exec_record_from_json(Json::parse(R"({"schema_version":2})"));
    REQUIRE(read);
    CHECK_FALSE(read.value());
}

TEST_CASE("what no writer of exec records meant is refused with its place") {
    const auto place = [](const std::string& pointer, const Json& value) {
        Json json = to_json(full());
        json[Json::json_pointer(pointer)] = value;
        const auto read = exec_record_from_json(json);
        REQUIRE_FALSE(read);
        CHECK(read.error().kind() == ErrorKind::Usage);
        return read.error().place();
    };
    CHECK(place("/schema_version", 0) == "/schema_version");
    CHECK(place("/schema_version", "1") == "/schema_version");
    CHECK(place("/process", 1) == "/process");
    CHECK(place("/mount_namespace", nullptr) == "/mount_namespace");
    CHECK(place("/personality", 1ULL << 32U) == "/personality");
    CHECK(place("/filter", "x") == "/filter");
    CHECK(place("/filter/flags", 1ULL << 32U) == "/filter/flags");
    CHECK(place("/filter/program", nullptr) == "/filter/program");
    for (const std::string& bad : {std::string(),
                                   std::string("0020"),
                                   std::string("002000000000000g"),
                                   std::string("-020000000000004"),
                                   std::string(15, '0') + " ",
                                   std::string(std::size_t{16} * (BPF_MAXINSNS + 1), '0')}) {
        CHECK(place("/filter/program", bad) == "/filter/program");
    }
    CHECK_FALSE(exec_record_from_json(Json::array()));
}

TEST_CASE("an exec record is kept beside the config, and damage is told") {
    const warren::test::TempDir temp;
    const auto store = Store::open(temp.path() / "root", true).value();
    const auto dir = store.create(id("c1")).value();
    const auto none = dir.load_exec();
    REQUIRE(none);
    CHECK_FALSE(none.value());
    REQUIRE(dir.save_exec(full()));
    const auto kept = dir.load_exec();
    REQUIRE(kept);
    REQUIRE(kept.value());
    CHECK(same(*kept.value(), full()));
    for (const char* text : {"", "{", "[]", R"({"schema_version":1})"}) {
        CAPTURE(text);
        std::ofstream(temp.path() / "root/c1/exec.json") << text;
        const auto read = dir.load_exec();
        REQUIRE_FALSE(read);
        CHECK(read.error().kind() == ErrorKind::Corrupt);
        CHECK(read.error().describe().find("container \"c1\": its exec.json is unreadable (") == 0);
    }
}
