// Records of guests: saved whole or not at all, read or set aside, and removed last.
#include <csignal>
#include <fstream>
#include <thread>

#include <sys/resource.h>

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

// What is in a directory by the names, with the time in the name of a file that was set aside left out.
Strings set_aside(const TempStore& store) {
    Strings out;
    for (const auto& name : store.tree("root/corrupt")) {
        out.push_back(name.substr(0, name.find(".2")) + "|" + name.substr(name.rfind('.')));
    }
    return out;
}

const char* const kDamages[] = {
    "",
    "{",
    "[]",
    "null",
    "{}",
    "{\"schema_version\":1}",
    "\xff\xfe",
    "{\"schema_version\":1,\"schema_version\":1}",
};

}  // namespace

TEST_CASE("a guest comes back as it was saved") {
    const TempStore store;
    auto record = guest_record("web1");
    record.phase = GuestPhase::Creating;
    REQUIRE(store->save_guest(record));
    CHECK(store.tree("root/guests") == Strings{"web1", "web1/guest.json"});
    CHECK(store.mode("root/guests/web1") == 0700);
    CHECK(store.mode("root/guests/web1/guest.json") == 0600);
    auto loaded = store->load_guest(guest("web1")).value();
    REQUIRE(loaded);
    CHECK(to_json(*loaded) == to_json(record));
    loaded->phase = GuestPhase::Ready;
    REQUIRE(store->save_guest(*loaded));
    CHECK(store->load_guest(guest("web1")).value()->phase == GuestPhase::Ready);
    CHECK(store->has_guest(guest("web1")).value());
    CHECK_FALSE(store->has_guest(guest("web2")).value());
    CHECK(store->guest_dir(guest("web1")));
    CHECK(store->guest_dir(guest("web2")).error().describe() == "no guest is named web2");
}

TEST_CASE("whatever changes a record changes its version") {
    const TempStore store;
    CHECK_FALSE(store->guest_version(guest("web1")).value());
    REQUIRE(store->save_guest(guest_record("web1")));
    const auto first = store->guest_version(guest("web1")).value();
    REQUIRE(first);
    CHECK(store->guest_version(guest("web1")).value() == first);
    const auto path = store.dir().path() / "root/guests/web1/guest.json";
    // The clock of a file system may stand still for some milliseconds.
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    std::ofstream(path, std::ios::app) << "\n";
    const auto written = store->guest_version(guest("web1")).value();
    CHECK(written != first);
    REQUIRE(store->save_guest(guest_record("web1")));
    CHECK(store->guest_version(guest("web1")).value() != written);
    REQUIRE(store->begin_removal(guest("web1")));
    CHECK_FALSE(store->guest_version(guest("web1")).value());
}

TEST_CASE("the largest config that is allowed can be read again") {
    const TempStore store;
    auto record = guest_record("big");
    // Escaped, each of these bytes takes six.
    record.config.env.assign(12, "A=" + std::string(131'000, '\x01'));
    record.config.security.seccomp_file_text = std::string(1U << 20, '\x02');
    REQUIRE(store->save_guest(record));
    CHECK(store->load_guest(guest("big")).value()->config == record.config);
}

TEST_CASE("names are sorted, and what is no guest's directory is no guest") {
    const TempStore store;
    for (const char* name : {"b", "a", "c.d"}) {
        REQUIRE(store->save_guest(guest_record(name)));
    }
    fs::create_directory(store.dir().path() / "root/guests/never-finished");
    fs::create_directory(store.dir().path() / "root/guests/.tmp-1");
    fs::create_directory(store.dir().path() / "root/guests/no name");
    fs::create_directory(store.dir().path() / ("root/guests/" + std::string(64, 'x')));
    fs::create_symlink("a", store.dir().path() / "root/guests/link");
    store.dir().write("root/guests/file", "");
    CHECK(strings(store->guest_names().value()) == Strings{"a", "b", "c.d", "never-finished"});
    CHECK_FALSE(store->has_guest(guest("file")).value());
    CHECK_FALSE(store->has_guest(guest("link")).value());
    CHECK_FALSE(store->load_guest(guest("never-finished")).value());
    fs::remove_all(store.dir().path() / "root/guests");
    CHECK(store->guest_names().value().empty());
}

TEST_CASE("names that are no names are not saved") {
    const TempStore store;
    for (const char* name : {"", "..", "../x", "a/b"}) {
        CHECK(store->save_guest(guest_record(name)).error().kind() == ErrorKind::Usage);
        CHECK(store->save_run(run_record(name)).error().kind() == ErrorKind::Usage);
    }
    CHECK(store.tree("root/guests").empty());
}

TEST_CASE("a damaged record is set aside, named, and never taken for a guest that was not made") {
    for (const std::string damage : kDamages) {
        CAPTURE(damage);
        const TempStore store;
        const auto web1 = guest("web1");
        REQUIRE(store->save_guest(guest_record("web1")));
        REQUIRE(store->save_guest(guest_record("web2")));
        fs::create_directory(store.dir().path() / "root/guests/web1/upper");
        store.dir().write("root/guests/web1/guest.json", damage);

        const auto first = store->load_guest(web1);
        REQUIRE_FALSE(first);
        CHECK(first.error().kind() == ErrorKind::Corrupt);
        REQUIRE(set_aside(store) == Strings{"web1|.json"});
        const auto place = "root/corrupt/" + store.tree("root/corrupt").front();
        CHECK(first.error().describe().find((store.dir().path() / place).string()) !=
              std::string::npos);
        CHECK(store.dir().read(place) == damage);
        CHECK(store.mode("root/corrupt") == 0700);

        const auto again = store->load_guest(web1);
        REQUIRE_FALSE(again);
        CHECK(again.error().kind() == ErrorKind::Corrupt);
        CHECK(again.error().describe().find((store.dir().path() / place).string()) !=
              std::string::npos);
        CHECK(set_aside(store).size() == 1);
        CHECK(store.dir().has("root/guests/web1/upper"));
        CHECK(store->load_guest(guest("web2")).value());
        CHECK(strings(store->guest_names().value()) == Strings{"web1", "web2"});
    }
}

TEST_CASE("a record that is put back is the guest's again") {
    const TempStore store;
    const auto web1 = guest("web1");
    REQUIRE(store->save_guest(guest_record("web1")));
    const auto good = store.dir().read("root/guests/web1/guest.json");
    store.dir().write("root/guests/web1/guest.json", "{");
    REQUIRE_FALSE(store->load_guest(web1));
    store.dir().write("root/guests/web1/guest.json", good);
    const auto record = store->load_guest(web1).value();
    REQUIRE(record);
    REQUIRE(store->save_guest(*record));
    CHECK(store.tree("root/guests/web1") == Strings{"guest.json"});
    // Damaged a second time, it is set aside a second time.
    store.dir().write("root/guests/web1/guest.json", "}");
    REQUIRE_FALSE(store->load_guest(web1));
    CHECK(set_aside(store) == Strings{"web1|.json", "web1|.json"});
}

TEST_CASE("another guest's record in the directory is damage") {
    const TempStore store;
    REQUIRE(store->save_guest(guest_record("web1")));
    fs::create_directory(store.dir().path() / "root/guests/web2");
    fs::copy_file(store.dir().path() / "root/guests/web1/guest.json",
                  store.dir().path() / "root/guests/web2/guest.json");
    const auto loaded = store->load_guest(guest("web2"));
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().kind() == ErrorKind::Corrupt);
}

TEST_CASE("a record beyond the bound is damage, not memory") {
    const TempStore store;
    REQUIRE(store->save_guest(guest_record("web1")));
    fs::resize_file(store.dir().path() / "root/guests/web1/guest.json", kMaxRecord + 1);
    const auto loaded = store->load_guest(guest("web1"));
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().kind() == ErrorKind::Corrupt);
    CHECK(set_aside(store) == Strings{"web1|.json"});
}

TEST_CASE("a record of a newer warren stays where it is") {
    const TempStore store;
    auto json = to_json(guest_record("web1"));
    json["schema_version"] = 2;
    REQUIRE(store->save_guest(guest_record("web1")));
    store.dir().write("root/guests/web1/guest.json", base::dump_json(json));
    for (int i = 0; i < 2; ++i) {
        const auto loaded = store->load_guest(guest("web1"));
        REQUIRE_FALSE(loaded);
        CHECK(loaded.error().kind() == ErrorKind::Unsupported);
        CHECK(loaded.error().describe().find("made by a newer warren") != std::string::npos);
    }
    CHECK(store.dir().has("root/guests/web1/guest.json"));
    CHECK_FALSE(store.dir().has("root/corrupt"));
}

TEST_CASE("a file that cannot be opened as one is an error and stays") {
    const TempStore store;
    const auto web1 = guest("web1");
    fs::create_directories(store.dir().path() / "root/guests/web1/guest.json");
    CHECK(store->load_guest(web1).error().error_number() == EISDIR);
    fs::remove(store.dir().path() / "root/guests/web1/guest.json");
    fs::create_symlink("/etc/passwd", store.dir().path() / "root/guests/web1/guest.json");
    CHECK(store->load_guest(web1).error().error_number() == ELOOP);
    CHECK_FALSE(store.dir().has("root/corrupt"));
}

TEST_CASE("a guest that a crash voids has its record in RUN only") {
    const TempStore store;
    auto record = guest_record("job");
    record.config.remove_on_stop = true;
    REQUIRE(store->save_guest(record));
    CHECK(store.tree("root/guests") == Strings{"job"});
    CHECK(store.tree("run/volatile") == Strings{"job.json"});
    CHECK(store->load_guest(guest("job")).value()->config.remove_on_stop);

    SUBCASE("it is none when the record is torn") {
        store.dir().write("run/volatile/job.json", "");
        CHECK_FALSE(store->load_guest(guest("job")).value());
        CHECK_FALSE(store.dir().has("root/corrupt"));
    }
    SUBCASE("it is none without its directory, as after a removal that was cut short") {
        fs::remove_all(store.dir().path() / "root/guests/job");
        CHECK_FALSE(store->load_guest(guest("job")).value());
    }
    SUBCASE("it is none after the crash, and its directory can be removed") {
        fs::remove_all(store.dir().path() / "run");
        CHECK_FALSE(store->load_guest(guest("job")).value());
        CHECK(store->has_guest(guest("job")).value());
        REQUIRE(store->remove_guest(guest("job")));
        CHECK(store.tree("root/guests").empty());
    }
    SUBCASE("removing it leaves nothing in either place") {
        REQUIRE(store->remove_guest(guest("job")));
        CHECK(store.tree("root/guests").empty());
        CHECK(store.tree("run/volatile").empty());
    }
    SUBCASE("a lasting guest that takes over the directory is not void in turn") {
        REQUIRE(store->save_guest(guest_record("job")));
        CHECK_FALSE(store->load_guest(guest("job")).value()->config.remove_on_stop);
        store.dir().write("root/guests/job/guest.json", "");
        CHECK(store->load_guest(guest("job")).error().kind() == ErrorKind::Corrupt);
    }
}

TEST_CASE("a save that runs out of space leaves the old record") {
    const TempStore store;
    REQUIRE(store->save_guest(guest_record("web1")));
    REQUIRE(store->save_run(run_record("web1")));
    const auto child = spawn([&store] {
        (void)::signal(SIGXFSZ, SIG_IGN);
        const struct rlimit small = {100, 100};
        (void)::setrlimit(RLIMIT_FSIZE, &small);
        auto record = guest_record("web1");
        record.phase = GuestPhase::Destroying;
        auto run = run_record("web1");
        run.phase = RunPhase::Stopping;
        const auto guest_saved = store->save_guest(record);
        const auto run_saved = store->save_run(run);
        const bool named =
            !guest_saved &&
            guest_saved.error().describe().find(store.paths().root) != std::string::npos &&
            !run_saved && run_saved.error().describe().find(store.paths().run) != std::string::npos;
        return named ? 0 : 1;
    });
    CHECK(wait_for(child) == 0);
    CHECK(store->load_guest(guest("web1")).value()->phase == GuestPhase::Ready);
    CHECK(store->load_run(guest("web1")).value()->phase == RunPhase::Running);
    CHECK(store.tree("root/guests") == Strings{"web1", "web1/guest.json"});
    CHECK(store.tree("run/guests") == Strings{"web1.json"});
}

TEST_CASE("what a writer that died left behind goes with the next save") {
    const TempStore store;
    REQUIRE(store->save_guest(guest_record("web1")));
    store.dir().write("root/guests/web1/guest.json.tmp", "{\"half\":");
    store.dir().write("root/guests/web1/last_run.json.tmp", "{");
    CHECK(store->load_guest(guest("web1")).value());
    REQUIRE(store->save_guest(guest_record("web1")));
    CHECK(store.tree("root/guests/web1") == Strings{"guest.json"});
}

TEST_CASE("a killed writer never leaves half a record") {
    const TempStore store;
    REQUIRE(store->save_guest(guest_record("web1")));
    for (int round = 0; round < 20; ++round) {
        const auto writer = spawn([&store] {
            auto record = guest_record("web1");
            for (int i = 0;; ++i) {
                record.config.hostname = std::string(static_cast<std::size_t>(i % 1000), 'h');
                if (!store->save_guest(record)) {
                    return 1;
                }
            }
        });
        for (int i = 0; i < 20; ++i) {
            REQUIRE(store->load_guest(guest("web1")));
        }
        REQUIRE(::kill(writer, SIGKILL) == 0);
        CHECK(wait_for(writer) == 256 + SIGKILL);
        CHECK(store->load_guest(guest("web1")).value());
    }
}

TEST_CASE("a removed guest leaves nothing, whatever lies in its tree") {
    const TempStore store;
    const auto web1 = guest("web1");
    REQUIRE(store->save_guest(guest_record("web1")));
    REQUIRE(store->save_last_run(web1, {"2026-01-02T03:04:05Z", 0, "exited"}));
    const auto upper = store.dir().path() / "root/guests/web1/upper";
    fs::create_directories(upper / "a/b/c");
    fs::create_directories(store.dir().path() / "root/guests/web1/work/work");
    fs::create_directories(upper / "guest.json");
    fs::create_directory(store.dir().path() / "outside");
    store.dir().write("outside/file", "stays");
    fs::create_directory_symlink(store.dir().path() / "outside", upper / "a/link");
    store.dir().write("root/guests/web1/upper/a/b/closed", "");
    fs::permissions(upper / "a/b", fs::perms::none);
    store.dir().write("root/guests/web1/log", "x");
    auto lock = store->lock(web1, base::LockMode::Exclusive, kNoWait);
    REQUIRE(lock);
    REQUIRE(store->remove_guest(web1));
    CHECK(store.tree("root/guests").empty());
    CHECK(store.dir().read("outside/file") == "stays");
    CHECK(store->remove_guest(web1));
    CHECK(store->remove_lock(web1, std::move(lock).value()));
    CHECK(store.tree("run/locks").empty());
    CHECK(store->tidy(web1));
    CHECK_FALSE(store.dir().has("run"));
}

TEST_CASE("a guest that is to go says so from then on, with its record") {
    const TempStore store;
    const auto web1 = guest("web1");
    auto record = guest_record("web1");
    record.phase = GuestPhase::Ready;
    record.lease = 7;
    REQUIRE(store->save_guest(record));
    REQUIRE(store->begin_removal(web1));
    for (int round = 0; round < 2; ++round) {
        const auto doomed = store->load_guest(web1);
        REQUIRE(doomed);
        REQUIRE(doomed.value());
        CHECK(doomed.value()->phase == GuestPhase::Destroying);
        CHECK(doomed.value()->lease == record.lease);
        CHECK(doomed.value()->config.image == record.config.image);
        CHECK(store->begin_removal(web1));
    }
    SUBCASE("damaged, it is as one that was never made: its leases are looked for") {
        REQUIRE(store->take_lease(7, web1));
        store.dir().write("root/guests/web1/destroying.json", "{");
        CHECK_FALSE(store->load_guest(web1).value());
        CHECK_FALSE(store.dir().has("root/corrupt"));
    }
    REQUIRE(store->remove_guest(web1));
    CHECK(store.tree("root/guests").empty());
    CHECK_FALSE(store->load_guest(web1).value());
}

TEST_CASE("an interrupted removal is met again with its record") {
    const TempStore store;
    const auto web1 = guest("web1");
    auto record = guest_record("web1");
    record.phase = GuestPhase::Destroying;
    REQUIRE(store->save_guest(record));
    fs::create_directories(store.dir().path() / "root/guests/web1/upper/x");
    // A process that dies somewhere on the way: as root nothing in the tree refuses, so the tree is made too deep to
    // be gone at once and the remover is killed at many moments.
    for (int round = 0; round < 30; ++round) {
        for (int i = 0; i < 200; ++i) {
            fs::create_directories(store.dir().path() / "root/guests/web1/upper" /
                                   std::to_string(i));
        }
        const auto remover = spawn([&store, &web1] { return store->remove_guest(web1) ? 0 : 1; });
        ::usleep(static_cast<useconds_t>(round) * 50);
        (void)::kill(remover, SIGKILL);
        (void)wait_for(remover);
        const auto left = store->load_guest(web1);
        REQUIRE(left);
        if (left.value()) {
            CHECK(left.value()->phase == GuestPhase::Destroying);
        } else {
            CHECK_FALSE(store.dir().has("root/guests/web1/upper"));
            REQUIRE(store->save_guest(record));
        }
    }
    REQUIRE(store->remove_guest(web1));
    CHECK(store.tree("root/guests").empty());
}

TEST_CASE("a guest whose record is gone is removed with its leases") {
    const TempStore store;
    const auto web1 = guest("web1");
    REQUIRE(store->save_guest(guest_record("web1")));
    REQUIRE(store->take_lease(7, web1));
    REQUIRE(store->take_lease(8, guest("web2")));
    store.dir().write("root/guests/web1/guest.json", "{");
    REQUIRE_FALSE(store->load_guest(web1));
    REQUIRE(store->remove_guest(web1));
    CHECK(store.tree("root/guests").empty());
    CHECK(store.tree("root/leases") == Strings{"8"});
    CHECK_FALSE(store->load_guest(web1).value());
}

TEST_CASE("how a run ended is a remark: kept, and no trouble when it is damaged") {
    const TempStore store;
    const auto web1 = guest("web1");
    CHECK(store->save_last_run(web1, {}).error().kind() == ErrorKind::NotFound);
    REQUIRE(store->save_guest(guest_record("web1")));
    CHECK_FALSE(store->load_last_run(web1).value());
    REQUIRE(store->save_last_run(web1, {"2026-01-02T03:04:05Z", 143, "stopped"}));
    CHECK(store->load_last_run(web1).value()->exit_code == 143);
    store.dir().write("root/guests/web1/last_run.json", "{");
    CHECK_FALSE(store->load_last_run(web1).value());
    CHECK(store->load_guest(web1).value());
}
