#include "runtime/state/records.hpp"

#include <nlohmann/json.hpp>

#include "base/fd.hpp"
#include "tests/unit/state/support.hpp"

using namespace warren::state;
using namespace warren::state::test;
using warren::base::ErrorKind;
using warren::base::Json;
namespace base = warren::base;

namespace {

std::string golden(const std::string& name) {
    return base::read_file_at(AT_FDCWD, WARREN_TEST_DATA "/" + name).value();
}

std::string written(const Json& json) {
    return base::dump_json(json, 2) + "\n";
}

Json parsed(const std::string& text) {
    return base::parse_json(text, "test").value();
}

// A change to a good record: where reading fails.
template <typename Read>
std::string refused_at(Json json, Read read, const char* pointer, const Json& value) {
    json[Json::json_pointer(pointer)] = value;
    const auto record = read(json);
    return record ? "" : record.error().place();
}

template <typename Read>
std::string refused_without(Json json, Read read, const char* key) {
    json.erase(key);
    const auto record = read(json);
    return record ? "" : record.error().place();
}

}  // namespace

TEST_CASE("a guest's record is written as it always was") {
    CHECK(written(to_json(guest_record("web1"))) == golden("guest.json"));
    const auto record = guest_record_from_json(parsed(golden("guest.json"))).value();
    CHECK(record.name == "web1");
    CHECK(record.phase == GuestPhase::Ready);
    CHECK(record.created == "2026-01-02T03:04:05.000006Z");
    CHECK(record.lease == 7);
    CHECK(record.config == guest_record("web1").config);
    CHECK(written(to_json(record)) == golden("guest.json"));
}

TEST_CASE("a run's record is written as it always was") {
    auto record = run_record("web1");
    record.paused = true;
    record.notes = {"mount /dev/mqueue: Operation not permitted"};
    record.summary = {{42, 1767323045000006789}, "debian:12", 7, {"--nesting"}};
    CHECK(written(to_json(record)) == golden("run.json"));
    const auto read = run_record_from_json(parsed(golden("run.json"))).value();
    CHECK(read.phase == RunPhase::Running);
    CHECK(read.boot_id == record.boot_id);
    CHECK(read.cgroup == "warren/web1");
    CHECK(read.init == record.init);
    CHECK(read.init->pidfd_inode == 815);
    CHECK_FALSE(read.config);
    CHECK(read.started == record.started);
    CHECK(read.paused);
    CHECK_FALSE(read.remove_on_stop);
    CHECK(read.notes == record.notes);
    REQUIRE(read.summary);
    CHECK(read.summary->of == record.summary->of);
    CHECK(read.summary->image == "debian:12");
    CHECK(read.summary->lease == 7);
    CHECK(read.summary->weakened == record.summary->weakened);
    CHECK(written(to_json(read)) == golden("run.json"));
}

TEST_CASE("a run's record of version 1 says what is running") {
    const auto read = run_record_from_json(parsed(golden("run_1.json"))).value();
    CHECK(read.init == run_record("web1").init);
    CHECK(read.init->pidfd_inode == 0);
    CHECK_FALSE(read.summary);
    REQUIRE(read.config);
    CHECK(read.config->name == "web1");
    auto rewritten = parsed(golden("run_1.json"));
    rewritten["schema_version"] = 2;
    CHECK(to_json(read) == rewritten);
}

TEST_CASE("how a run ended is written as it always was") {
    const LastRun last{"2026-01-02T03:04:05.000006Z", 137, "killed"};
    CHECK(written(to_json(last)) == golden("last_run.json"));
    const auto read = last_run_from_json(parsed(golden("last_run.json"))).value();
    CHECK(read.ended == last.ended);
    CHECK(read.exit_code == 137);
    CHECK(read.reason == "killed");
    const LastRun unknown{"2026-01-02T03:04:05.000006Z", std::nullopt, "lost in a reboot"};
    CHECK_FALSE(last_run_from_json(to_json(unknown)).value().exit_code);
}

TEST_CASE("every phase comes back, and what is optional may be absent") {
    for (const auto phase : {GuestPhase::Creating, GuestPhase::Ready, GuestPhase::Destroying}) {
        auto record = guest_record("a");
        record.phase = phase;
        record.lease.reset();
        const auto read = guest_record_from_json(to_json(record)).value();
        CHECK(read.phase == phase);
        CHECK_FALSE(read.lease);
    }
    for (const auto phase : {RunPhase::Starting, RunPhase::Running, RunPhase::Stopping}) {
        auto record = run_record("a");
        record.phase = phase;
        record.init.reset();
        record.started.clear();
        record.remove_on_stop = true;
        const auto read = run_record_from_json(to_json(record)).value();
        CHECK(read.phase == phase);
        CHECK_FALSE(read.init);
        CHECK(read.started.empty());
        CHECK(read.remove_on_stop);
    }
}

TEST_CASE("a newer schema is refused in words, a missing one as damage") {
    for (const auto& json : {to_json(guest_record("a")),
                             to_json(run_record("a")),
                             to_json(LastRun{"2026-01-02T03:04:05Z", 0, "exited"})}) {
        const auto refusal = [](const Json& changed) {
            const auto first = guest_record_from_json(changed);
            const auto second = run_record_from_json(changed);
            const auto third = last_run_from_json(changed);
            REQUIRE_FALSE(first);
            REQUIRE_FALSE(second);
            REQUIRE_FALSE(third);
            CHECK(first.error().describe() == second.error().describe());
            CHECK(first.error().describe() == third.error().describe());
            return first.error();
        };
        auto newer = json;
        newer["schema_version"] = 3;
        CHECK(guest_record_from_json(newer).error().kind() == ErrorKind::Unsupported);
        CHECK(guest_record_from_json(newer).error().describe() ==
              "made by a newer warren: schema version 3, this one reads up to 1");
        CHECK(run_record_from_json(newer).error().kind() == ErrorKind::Unsupported);
        CHECK(run_record_from_json(newer).error().describe() ==
              "made by a newer warren: schema version 3, this one reads up to 2");
        CHECK(last_run_from_json(newer).error().kind() == ErrorKind::Unsupported);
        auto versionless = json;
        versionless.erase("schema_version");
        CHECK(refusal(versionless).kind() == ErrorKind::Usage);
        CHECK(refusal(versionless).place() == "/schema_version");
        for (const Json& bad : {Json(0), Json(-1), Json("1"), Json(1.0), Json(nullptr)}) {
            versionless["schema_version"] = bad;
            CHECK(refusal(versionless).place() == "/schema_version");
        }
    }
}

TEST_CASE("a damaged guest record is refused where it is damaged") {
    const auto json = to_json(guest_record("web1"));
    const auto read = [](const Json& from) { return guest_record_from_json(from); };
    for (const char* key : {"name", "phase", "created", "config"}) {
        CHECK(refused_without(json, read, key).starts_with("/" + std::string(key)));
    }
    CHECK(refused_at(json, read, "/name", "../web1") == "/name");
    CHECK(refused_at(json, read, "/phase", "done") == "/phase");
    CHECK(refused_at(json, read, "/created", "yesterday") == "/created");
    CHECK(refused_at(json, read, "/lease", -1) == "/lease");
    CHECK(refused_at(json, read, "/lease", kLeaseCount) == "/lease");
    CHECK(refused_at(json, read, "/lease", kLeaseCount - 1).empty());
    CHECK(refused_at(json, read, "/config/name", "web2") == "/config/name");
    CHECK(refused_at(json, read, "/config/kind", "pod") == "/config/kind");
    CHECK_FALSE(guest_record_from_json(Json::array()));
    CHECK_FALSE(guest_record_from_json(nullptr));
}

TEST_CASE("a damaged run record is refused where it is damaged") {
    const auto json = to_json(run_record("web1"));
    const auto read = [](const Json& from) { return run_record_from_json(from); };
    for (const char* key :
         {"name", "phase", "boot_id", "cgroup", "started", "paused", "remove_on_stop"}) {
        CHECK(refused_without(json, read, key).starts_with("/" + std::string(key)));
    }
    CHECK(refused_without(parsed(golden("run_1.json")), read, "config").starts_with("/config"));
    CHECK(refused_at(json, read, "/config", "x") == "/config");
    CHECK(refused_at(json, read, "/cgroup", "warren/../../x") == "/cgroup");
    CHECK(refused_at(json, read, "/cgroup", "..") == "/cgroup");
    CHECK(refused_at(json, read, "/cgroup", "warren/a..b").empty());
    CHECK(refused_at(json, read, "/init/pid", 0) == "/init/pid");
    CHECK(refused_at(json, read, "/init/pid", -1) == "/init/pid");
    CHECK(refused_at(json, read, "/init/pid", 1ULL << 31U) == "/init/pid");
    CHECK(refused_at(json, read, "/init/start_time", "x") == "/init/start_time");
    CHECK(refused_at(json, read, "/init/pidfd_inode", -1) == "/init/pidfd_inode");
    CHECK(refused_at(json, read, "/init", 4711) == "/init");
    CHECK(refused_at(json, read, "/started", "now") == "/started");
    CHECK(refused_at(json, read, "/notes", "x") == "/notes");
}

TEST_CASE("a damaged summary is refused where it is damaged") {
    const auto json = parsed(golden("run.json"));
    const auto read = [](const Json& from) { return run_record_from_json(from); };
    for (const char* key : {"inode", "changed", "image"}) {
        auto without = json;
        without["summary"].erase(key);
        const auto place = "/summary/" + std::string(key);
        CHECK_FALSE(run_record_from_json(without).has_value());
        CHECK(refused_at(json, read, place.c_str(), -1) == place);
    }
    CHECK(refused_at(json, read, "/summary/weakened", "x") == "/summary/weakened");
    CHECK(refused_at(json, read, "/summary", "x") == "/summary");
    CHECK(refused_at(json, read, "/summary/lease", kLeaseCount) == "/summary/lease");
}

TEST_CASE("an exit code is a byte") {
    const auto json = to_json(LastRun{"2026-01-02T03:04:05Z", 0, "exited"});
    CHECK(refused_at(json, last_run_from_json, "/exit_code", 255).empty());
    CHECK(refused_at(json, last_run_from_json, "/exit_code", 256) == "/exit_code");
    CHECK(refused_at(json, last_run_from_json, "/exit_code", -1) == "/exit_code");
}

TEST_CASE("members of a newer minor writer are kept at any depth") {
    auto json = to_json(guest_record("web1"));
    json["note"] = "kept";
    json["config"]["plan"] = {{"name", "small"}};
    json["config"]["security"]["lsm"] = "x";
    auto record = guest_record_from_json(json).value();
    CHECK(to_json(record)["note"] == "kept");
    record.config.hostname = "new";
    record.phase = GuestPhase::Destroying;
    const auto rewritten = to_json(record);
    CHECK(rewritten["config"]["plan"]["name"] == "small");
    CHECK(rewritten["config"]["security"]["lsm"] == "x");
    CHECK(rewritten["config"]["hostname"] == "new");
    CHECK(rewritten["phase"] == "destroying");

    auto run = to_json(run_record("web1"));
    run["init"]["cpu"] = 5;
    auto kept = run_record_from_json(run).value();
    CHECK(to_json(kept)["init"]["cpu"] == 5);
}

TEST_CASE("what was removed does not come back as unknown") {
    auto record = guest_record("web1");
    record.config.labels = {{"a", "1"}};
    record.config.security.seccomp_file_text = "{}";
    auto read = guest_record_from_json(to_json(record)).value();
    read.config.labels.clear();
    read.config.security.seccomp_file_text.clear();
    read.lease.reset();
    const auto json = to_json(read);
    CHECK(json["config"]["labels"].empty());
    CHECK(json["config"]["security"].find("seccomp_profile") == json["config"]["security"].end());
    CHECK(json.find("lease") == json.end());
}
