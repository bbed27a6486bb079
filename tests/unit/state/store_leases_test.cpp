// Id ranges: disjoint, found without a scan, never given twice.
#include <set>

#include "tests/unit/state/support.hpp"

using namespace warren::state;
using namespace warren::state::test;
using warren::base::ErrorKind;
namespace fs = std::filesystem;

namespace {

using Strings = std::vector<std::string>;

}

TEST_CASE("ranges are disjoint and stay inside the containers' ids") {
    CHECK(Store::lease_base(0) == 0x20000000U);
    CHECK(Store::lease_base(1) == 0x20010000U);
    CHECK(Store::lease_base(kLeaseCount - 1) == 0x6ffe0000U);
    CHECK(Store::lease_base(kLeaseCount - 1) + (kLeaseIds - 1) < 0x70000000U);
}

TEST_CASE("a lease is taken once, kept, and released by its guest only") {
    const TempStore store;
    const auto a = guest("a");
    const auto b = guest("b");
    const auto index = store->first_free_lease(a).value();
    CHECK(index < kLeaseCount);
    CHECK(store->first_free_lease(a).value() == index);
    REQUIRE(store->take_lease(index, a));
    CHECK(store->take_lease(index, a));
    CHECK(store->take_lease(index, b).error().kind() == ErrorKind::Exists);
    CHECK(store->first_free_lease(a).value() == index);
    CHECK(store->release_lease(index, b));
    CHECK(store->take_lease(index, b).error().kind() == ErrorKind::Exists);
    CHECK(store->release_lease(index, a));
    CHECK(store->release_lease(index, a));
    CHECK(store->take_lease(index, b));
    CHECK(fs::read_symlink(store.dir().path() / "root/leases" / std::to_string(index)) == "b");
}

TEST_CASE("a taken lease sends others to the next, round the end") {
    const TempStore store;
    const auto a = guest("a");
    const auto start = store->first_free_lease(a).value();
    const auto next = (start + 1) % kLeaseCount;
    REQUIRE(store->take_lease(start, guest("x")));
    CHECK(store->first_free_lease(a).value() == next);
    REQUIRE(store->take_lease(next, guest("y")));
    CHECK(store->first_free_lease(a).value() == (start + 2) % kLeaseCount);
    // Something that is no link is nobody's to give.
    store.dir().write("root/leases/" + std::to_string((start + 2) % kLeaseCount), "");
    CHECK(store->first_free_lease(a).value() == (start + 3) % kLeaseCount);
    CHECK(store->take_lease((start + 2) % kLeaseCount, a).error().kind() == ErrorKind::Exists);
}

TEST_CASE("when all are taken it is said") {
    const TempStore store;
    for (std::uint32_t index = 0; index < kLeaseCount; ++index) {
        fs::create_symlink("other", store.dir().path() / "root/leases" / std::to_string(index));
    }
    const auto lease = store->first_free_lease(guest("a"));
    REQUIRE_FALSE(lease);
    CHECK(lease.error().describe() == "lease an id range for guest a: all 20479 are taken");
}

TEST_CASE("an index outside the range is refused") {
    const TempStore store;
    CHECK(store->take_lease(kLeaseCount, guest("a")).error().kind() == ErrorKind::Usage);
    CHECK(store->release_lease(kLeaseCount, guest("a")));
    CHECK(store.tree("root/leases").empty());
}

TEST_CASE("the leases of a lost record are found by name") {
    const TempStore store;
    REQUIRE(store->take_lease(3, guest("a")));
    REQUIRE(store->take_lease(4, guest("ab")));
    REQUIRE(store->take_lease(5, guest("a")));
    store.dir().write("root/leases/6", "");
    store.dir().write("root/leases/junk", "");
    REQUIRE(store->release_leases_of(guest("a")));
    CHECK(store.tree("root/leases") == Strings{"4", "6", "junk"});
    fs::remove_all(store.dir().path() / "root/leases");
    CHECK(store->release_leases_of(guest("a")));
}

TEST_CASE("a lost lease directory is made anew") {
    const TempStore store;
    fs::remove(store.dir().path() / "root/leases");
    CHECK(store->take_lease(3, guest("a")));
    CHECK(store.mode("root/leases") == 0700);
}

TEST_CASE("processes that race get a lease each") {
    const TempStore store;
    constexpr int kProcesses = 8;
    constexpr int kEach = 40;
    std::vector<pid_t> children;
    children.reserve(kProcesses);
    for (int process = 0; process < kProcesses; ++process) {
        children.push_back(spawn([&store, process] {
            for (int i = 0; i < kEach; ++i) {
                // Names with one start, so that all meet at the same indices, are not to be had: all start from the
                // first free index that "race" would get.
                const auto mine = guest("g" + std::to_string(process) + "-" + std::to_string(i));
                auto index = store->first_free_lease(guest("race")).value();
                while (!store->take_lease(index, mine)) {
                    index = store->first_free_lease(guest("race")).value();
                }
            }
            return 0;
        }));
    }
    for (const auto child : children) {
        CHECK(wait_for(child) == 0);
    }
    std::set<std::string> owners;
    for (const auto& entry : fs::directory_iterator(store.dir().path() / "root/leases")) {
        CHECK(owners.insert(fs::read_symlink(entry.path()).string()).second);
    }
    CHECK(owners.size() == kProcesses * kEach);
}
