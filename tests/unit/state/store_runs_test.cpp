// Records of what runs.
#include <nlohmann/json.hpp>

#include "runtime/state/files.hpp"
#include "tests/unit/state/support.hpp"

using namespace warren::state;
using namespace warren::state::test;
using warren::base::ErrorKind;
namespace base = warren::base;
namespace fs = std::filesystem;

namespace {

using Strings = std::vector<std::string>;

}

TEST_CASE("a run comes back as it was saved, also of another boot") {
    const TempStore store;
    const auto web1 = guest("web1");
    CHECK_FALSE(store->load_run(web1).value());
    auto record = run_record("web1");
    REQUIRE(store->save_run(record));
    CHECK(store.mode("run/guests") == 0700);
    CHECK(store.mode("run/guests/web1.json") == 0600);
    CHECK(to_json(*store->load_run(web1).value()) == to_json(record));
    record.paused = true;
    REQUIRE(store->save_run(record));
    CHECK(store->load_run(web1).value()->paused);
    CHECK(store->remove_run(web1));
    CHECK(store->remove_run(web1));
    CHECK_FALSE(store->load_run(web1).value());
    CHECK(store->tidy(web1));
    CHECK_FALSE(store.dir().has("run"));
}

TEST_CASE("names of runs are one scan, and other files are none") {
    const TempStore store;
    CHECK(store->run_names().value().empty());
    for (const char* name : {"b", "a", "a.json", "a.json.tmp"}) {
        REQUIRE(store->save_run(run_record(name)));
    }
    store.dir().write("run/guests/b.json.tmp", "{");
    store.dir().write("run/guests/.json", "{");
    store.dir().write("run/guests/-x.json", "{");
    fs::create_directory(store.dir().path() / "run/guests/d.json");
    CHECK(strings(store->run_names().value()) == Strings{"a", "a.json", "a.json.tmp", "b"});
    CHECK(store->load_run(guest("a.json")).value()->name == "a.json");
}

TEST_CASE("removing one guest's run leaves those whose names look alike") {
    const TempStore store;
    for (const char* name : {"a", "a.json", "a.json.tmp"}) {
        REQUIRE(store->save_run(run_record(name)));
    }
    store.dir().write("run/guests/a.json.tmp", "left by a writer that died");
    REQUIRE(store->remove_run(guest("a")));
    CHECK(store.tree("run/guests") == Strings{"a.json.json", "a.json.tmp.json"});
}

TEST_CASE("a damaged run record is set aside under its root and gone from the run directory") {
    for (const char* damage : {"", "{", "{}", "[1]", "{\"schema_version\":1,\"name\":\"web2\"}"}) {
        const TempStore store;
        const auto web1 = guest("web1");
        REQUIRE(store->save_run(run_record("web1")));
        store.dir().write("run/guests/web1.json", damage);
        const auto loaded = store->load_run(web1);
        REQUIRE_FALSE(loaded);
        CHECK(loaded.error().kind() == ErrorKind::Corrupt);
        const auto kept = store.tree("root/corrupt");
        REQUIRE(kept.size() == 1);
        CHECK(kept.front().starts_with("web1.run."));
        CHECK(store.dir().read("root/corrupt/" + kept.front()) == damage);
        CHECK(loaded.error().describe().find(kept.front()) != std::string::npos);
        CHECK_FALSE(store->load_run(web1).value());
        CHECK(store->run_names().value().empty());
    }
}

TEST_CASE("without a root a damaged run record stays") {
    const TempStore store;
    REQUIRE(store->save_run(run_record("web1")));
    store.dir().write("run/guests/web1.json", "{");
    fs::remove_all(store.dir().path() / "root");
    const auto empty = Store::open(store.paths(), false);
    REQUIRE(empty);
    const auto loaded = empty.value().load_run(guest("web1"));
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().kind() == ErrorKind::Corrupt);
    CHECK(store.dir().has("run/guests/web1.json"));
}

TEST_CASE("a run record of a newer warren stays where it is") {
    const TempStore store;
    auto json = to_json(run_record("web1"));
    json["schema_version"] = 9;
    REQUIRE(store->save_run(run_record("web1")));
    store.dir().write("run/guests/web1.json", base::dump_json(json));
    CHECK(store->load_run(guest("web1")).error().kind() == ErrorKind::Unsupported);
    CHECK(store.dir().has("run/guests/web1.json"));
}

TEST_CASE("runs are saved while others tidy the directories away") {
    const TempStore store;
    constexpr int kRounds = 100;
    std::vector<pid_t> children;
    children.reserve(3);
    for (const char* name : {"a", "b", "c"}) {
        children.push_back(spawn([&store, name] {
            const auto mine = guest(name);
            for (int i = 0; i < kRounds; ++i) {
                const auto lock = store->lock(mine, base::LockMode::Exclusive, kLongWait);
                if (!lock || !store->save_run(run_record(name)) || !store->load_run(mine) ||
                    !store->load_run(mine).value() || !store->remove_run(mine) ||
                    !store->tidy(mine)) {
                    return 1;
                }
            }
            return 0;
        }));
    }
    for (const auto child : children) {
        CHECK(wait_for(child) == 0);
    }
    CHECK_FALSE(store.dir().has("run"));
}
