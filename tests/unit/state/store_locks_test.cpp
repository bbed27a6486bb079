// Locks of guests between processes, and lock files that come and go.
#include <csignal>
#include <fstream>

#include <sys/file.h>

#include "tests/unit/state/support.hpp"

using namespace warren::state;
using namespace warren::state::test;
using warren::base::ErrorKind;
using warren::base::LockMode;
namespace base = warren::base;

namespace {

// A child that holds a lock until it is killed.
class Holder {
public:
    Holder(const Store& store, const base::Name& name, LockMode mode) {
        int ready[2];
        REQUIRE(::pipe2(ready, O_CLOEXEC) == 0);
        pid_ = spawn([&] {
            const auto lock = store.lock(name, mode, kNoWait);
            const char answer = lock ? 'y' : 'n';
            (void)!::write(ready[1], &answer, 1);
            ::pause();
            return 0;
        });
        char answer = 'n';
        REQUIRE(::read(ready[0], &answer, 1) == 1);
        REQUIRE(answer == 'y');
        (void)::close(ready[0]);
        (void)::close(ready[1]);
    }

    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;
    Holder(Holder&&) = delete;
    Holder& operator=(Holder&&) = delete;

    ~Holder() { end(); }

    void end() {
        if (pid_ > 0) {
            (void)::kill(pid_, SIGKILL);
            (void)wait_for(pid_);
            pid_ = -1;
        }
    }

private:
    pid_t pid_ = -1;
};

}  // namespace

TEST_CASE("a guest need not exist to be locked") {
    const TempStore store;
    const auto a = guest("a");
    CHECK_FALSE(store->is_locked(a).value());
    const auto lock = store->lock(a, LockMode::Exclusive, kNoWait);
    REQUIRE(lock);
    CHECK(store->is_locked(a).value());
    CHECK_FALSE(store->is_locked(guest("b")).value());
    CHECK(store.mode("run") == 0700);
    CHECK(store.mode("run/locks/a") == 0600);
    CHECK(store.tree("root/guests").empty());
}

TEST_CASE("one holds a guest exclusively, many hold it shared") {
    const TempStore store;
    const auto a = guest("a");
    {
        const Holder holder(store.get(), a, LockMode::Exclusive);
        const auto refused = store->lock(a, LockMode::Shared, kNoWait);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().kind() == ErrorKind::Busy);
        CHECK(refused.error().describe() == "lock guest a: another command is at work on it");
        CHECK(store->is_locked(a).value());
        CHECK(store->lock(guest("b"), LockMode::Exclusive, kNoWait));
    }
    const Holder holder(store.get(), a, LockMode::Shared);
    CHECK(store->lock(a, LockMode::Shared, kNoWait));
    CHECK_FALSE(store->lock(a, LockMode::Exclusive, kNoWait));
    CHECK_FALSE(store->is_locked(a).value());
}

TEST_CASE("a killed holder holds nothing") {
    const TempStore store;
    const auto a = guest("a");
    Holder holder(store.get(), a, LockMode::Exclusive);
    holder.end();
    CHECK_FALSE(store->is_locked(a).value());
    CHECK(store->lock(a, LockMode::Exclusive, kNoWait));
}

TEST_CASE("asking leaves no lock file") {
    const TempStore store;
    CHECK_FALSE(store->is_locked(guest("a")).value());
    CHECK_FALSE(store.dir().has("run"));
}

TEST_CASE("who waits while the holder tidies gets the new lock file") {
    const TempStore store;
    const auto a = guest("a");
    auto held = store->lock(a, LockMode::Exclusive, kNoWait);
    REQUIRE(held);
    const auto waiter = spawn([&store, &a] {
        const auto lock = store->lock(a, LockMode::Exclusive, kLongWait);
        // The lock under the name is ours, not that of a file that is gone.
        return lock && store->is_locked(a).value() && store.dir().has("run/locks/a") ? 0 : 1;
    });
    ::usleep(20'000);
    REQUIRE(store->tidy(a));
    { const auto released = std::move(held).value(); }
    CHECK(wait_for(waiter) == 0);
}

TEST_CASE("locks exclude each other while their files come and go") {
    const TempStore store;
    const auto a = guest("a");
    store.dir().write("count", "0");
    constexpr int kProcesses = 4;
    constexpr int kRounds = 100;
    std::vector<pid_t> children;
    children.reserve(kProcesses);
    for (int process = 0; process < kProcesses; ++process) {
        children.push_back(spawn([&store, &a] {
            for (int i = 0; i < kRounds; ++i) {
                const auto lock = store->lock(a, LockMode::Exclusive, kLongWait);
                if (!lock) {
                    return 1;
                }
                // Two at once would lose a count.
                const int count = std::stoi(store.dir().read("count"));
                store.dir().write("count", std::to_string(count + 1));
                if (i % 2 == 0 && !store->tidy(a)) {
                    return 2;
                }
            }
            return 0;
        }));
    }
    for (const auto child : children) {
        CHECK(wait_for(child) == 0);
    }
    CHECK(store.dir().read("count") == std::to_string(kProcesses * kRounds));
}

TEST_CASE("a run directory that cannot be made is named") {
    const TempDir dir;
    dir.write("file", "");
    const auto run = (dir.path() / "file/run").string();
    const auto store = Store::open({(dir.path() / "root").string(), run}, true);
    REQUIRE(store);
    const auto lock = store.value().lock(guest("a"), LockMode::Exclusive, kNoWait);
    REQUIRE_FALSE(lock);
    CHECK(lock.error().error_number() == ENOTDIR);
    CHECK(lock.error().describe().find((dir.path() / "file").string()) != std::string::npos);
}
