// The store's directories: made, absent, refused and gone again.
#include "runtime/state/store.hpp"

#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/unit/state/support.hpp"

using namespace warren::state;
using namespace warren::state::test;
using warren::base::ErrorKind;
namespace base = warren::base;

TEST_CASE("a new store has its directories with their modes, whatever the umask") {
    const TempDir dir;
    const auto old = ::umask(077);
    const auto store =
        Store::open({(dir.path() / "a/root").string(), (dir.path() / "run").string()}, true);
    (void)::umask(old);
    REQUIRE(store);
    const auto mode = [&dir](const char* path) {
        return static_cast<unsigned>(std::filesystem::status(dir.path() / path).permissions());
    };
    CHECK(mode("a") == 0755);
    CHECK(mode("a/root") == 0711);
    CHECK(mode("a/root/guests") == 0711);
    CHECK(mode("a/root/leases") == 0700);
    CHECK(mode("a/root/cache") == 0700);
    CHECK_FALSE(dir.has("run"));
}

TEST_CASE("opening again changes nothing") {
    const TempStore store;
    REQUIRE(store->save_guest(guest_record("a")));
    std::filesystem::permissions(store.dir().path() / "root", std::filesystem::perms(0750));
    const auto before = store.tree("root");
    REQUIRE(Store::open(store.paths(), true));
    CHECK(store.tree("root") == before);
    CHECK(store.mode("root") == 0750);
}

TEST_CASE("an absent root is an empty store, and stays absent") {
    const TempDir dir;
    const auto opened =
        Store::open({(dir.path() / "root").string(), (dir.path() / "run").string()}, false);
    REQUIRE(opened);
    const Store& store = opened.value();
    const auto a = guest("a");
    CHECK(store.root_dir() == -1);
    CHECK(store.guest_names().value().empty());
    CHECK(store.run_names().value().empty());
    CHECK_FALSE(store.has_guest(a).value());
    CHECK_FALSE(store.load_guest(a).value());
    CHECK_FALSE(store.load_run(a).value());
    CHECK_FALSE(store.load_last_run(a).value());
    CHECK_FALSE(store.is_locked(a).value());
    CHECK(store.release_lease(1, a));
    CHECK(store.release_leases_of(a));
    CHECK(store.remove_guest(a));
    CHECK(store.remove_run(a));
    CHECK(store.tidy(a));
    CHECK(store.guest_dir(a).error().kind() == ErrorKind::NotFound);
    CHECK(store.save_guest(guest_record("a")).error().kind() == ErrorKind::NotFound);
    CHECK_FALSE(store.first_free_lease(a));
    CHECK_FALSE(store.take_lease(1, a));
    CHECK_FALSE(store.cache_dir());
    CHECK_FALSE(dir.has("root"));
    CHECK_FALSE(dir.has("run"));
}

TEST_CASE("roots that are no directories are named") {
    const TempDir dir;
    dir.write("file", "");
    const auto file = (dir.path() / "file").string();
    for (const bool create : {false, true}) {
        const auto store = Store::open({file, "/x"}, create);
        REQUIRE_FALSE(store);
        CHECK(store.error().error_number() == ENOTDIR);
        CHECK(store.error().describe().find(file) != std::string::npos);
        CHECK(Store::open({"", "/x"}, create).error().place() == "--root");
        CHECK(Store::open({file, ""}, create).error().place() == "--run");
    }
    const auto below = Store::open({file + "/root", "/x"}, true);
    REQUIRE_FALSE(below);
    CHECK(below.error().describe().find(file) != std::string::npos);
}

TEST_CASE("a part of the root that is a file is named") {
    const TempDir dir;
    std::filesystem::create_directory(dir.path() / "root");
    dir.write("root/leases", "");
    const auto store = Store::open({(dir.path() / "root").string(), "/x"}, true);
    REQUIRE_FALSE(store);
    CHECK(store.error().describe() ==
          (dir.path() / "root").string() + ": make directory leases: Not a directory");
}

TEST_CASE("the run directory is made on need and private") {
    const TempStore store;
    CHECK_FALSE(store.dir().has("run"));
    REQUIRE(store->run_dir());
    CHECK(store.mode("run") == 0700);
    CHECK(store->tidy(guest("a")));
    CHECK_FALSE(store.dir().has("run"));
}

TEST_CASE("tidy leaves what is somebody's") {
    const TempStore store;
    const auto a = guest("a");
    REQUIRE(store->save_run(run_record("b")));
    {
        const auto lock = store->lock(a, base::LockMode::Exclusive, kNoWait);
        REQUIRE(lock);
        const auto other = store->lock(guest("b"), base::LockMode::Shared, kNoWait);
        REQUIRE(other);
        store.dir().write("run/console.sock", "");
        CHECK(store->tidy(a));
        CHECK(store.tree("run") ==
              std::vector<std::string>{
                  "console.sock", "guests", "guests/b.json", "locks", "locks/b"});
        CHECK(store->tidy(guest("b")));
    }
    CHECK(store->remove_run(guest("b")));
    CHECK(store->tidy(guest("b")));
    CHECK(store.tree("run") == std::vector<std::string>{"console.sock"});
}

TEST_CASE("tidy does not touch a lock file that the caller has not open") {
    const TempStore store;
    const auto a = guest("a");
    // A lock file of another process: here, one that nobody has open.
    REQUIRE(store->lock(a, base::LockMode::Exclusive, kNoWait));
    CHECK(store.dir().has("run/locks/a"));
    CHECK(store->tidy(a));
    CHECK(store.dir().has("run/locks/a"));
}

TEST_CASE("the cache is made when it is gone") {
    const TempStore store;
    std::filesystem::remove(store.dir().path() / "root/cache");
    REQUIRE(store->cache_dir());
    CHECK(store.mode("root/cache") == 0700);
}
