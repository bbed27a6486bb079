#include "base/lock.hpp"

#include <csignal>

#include "support.hpp"

using namespace warren::base;
using namespace warren::base::test;
using std::chrono::milliseconds;

namespace {

ErrorKind kind_of(const Result<FileLock>& lock) {
    REQUIRE(!lock.has_value());
    return lock.error().kind();
}

}  // namespace

TEST_CASE("exclusive excludes, shared shares, and closing unlocks") {
    const TempDir dir;
    const auto lock = [&dir](LockMode mode) {
        return FileLock::acquire(dir.fd(), "l", mode, milliseconds(0));
    };
    {
        const auto held = lock(LockMode::Exclusive);
        REQUIRE(held.has_value());
        CHECK(is_cloexec(held.value().fd()));
        CHECK(kind_of(lock(LockMode::Exclusive)) == ErrorKind::Busy);
        CHECK(kind_of(lock(LockMode::Shared)) == ErrorKind::Busy);
    }
    {
        const auto first = lock(LockMode::Shared);
        const auto second = lock(LockMode::Shared);
        REQUIRE(first.has_value());
        REQUIRE(second.has_value());
        CHECK(kind_of(lock(LockMode::Exclusive)) == ErrorKind::Busy);
    }
    CHECK(lock(LockMode::Exclusive).has_value());
    CHECK(static_cast<unsigned>(std::filesystem::status(dir.path() / "l").permissions()) == 0600);
}

TEST_CASE("a lock is waited for, and a killed holder frees it") {
    const TempDir dir;
    int ends[2];
    REQUIRE(::pipe2(&ends[0], O_CLOEXEC) == 0);
    const Fd in(ends[0]);
    Fd out(ends[1]);
    const pid_t holder = spawn([&] {
        const auto lock = FileLock::acquire(dir.fd(), "l", LockMode::Exclusive, milliseconds(0));
        if (!lock || !write_all(out.get(), "x", "pipe")) {
            return 1;
        }
        ::pause();
        return 0;
    });
    out.reset();
    char byte = 0;
    REQUIRE(::read(in.get(), &byte, 1) == 1);
    CHECK(kind_of(FileLock::acquire(dir.fd(), "l", LockMode::Exclusive, milliseconds(30))) ==
          ErrorKind::Busy);
    const pid_t killer = spawn([holder] {
        ::usleep(50000);
        return ::kill(holder, SIGKILL) == 0 ? 0 : 1;
    });
    CHECK(FileLock::acquire(dir.fd(), "l", LockMode::Exclusive, milliseconds::max()).has_value());
    CHECK(wait_for(killer) == 0);
    CHECK(wait_for(holder) == 256 + SIGKILL);
}

TEST_CASE("a lock whose file was unlinked does not hold the name") {
    const TempDir dir;
    const auto old = FileLock::acquire(dir.fd(), "l", LockMode::Exclusive, milliseconds(0));
    REQUIRE(old.has_value());
    REQUIRE(remove_file_at(dir.fd(), "l").has_value());
    const auto fresh = FileLock::acquire(dir.fd(), "l", LockMode::Exclusive, milliseconds(0));
    REQUIRE(fresh.has_value());
    CHECK(dir.has("l"));
    CHECK(kind_of(FileLock::acquire(dir.fd(), "l", LockMode::Shared, milliseconds(0))) ==
          ErrorKind::Busy);
}

TEST_CASE("processes that lock and unlink the file still exclude each other") {
    const TempDir dir;
    constexpr int kProcesses = 4;
    constexpr int kRounds = 400;
    dir.write("count", "0");
    std::vector<pid_t> children;
    children.reserve(kProcesses);
    for (int i = 0; i < kProcesses; ++i) {
        children.push_back(spawn([&dir] {
            for (int round = 0; round < kRounds; ++round) {
                // Without a wait in between, so that many tries fall between an unlink and a lock.
                auto lock = FileLock::acquire(dir.fd(), "l", LockMode::Exclusive, milliseconds(0));
                while (!lock && lock.error().kind() == ErrorKind::Busy) {
                    lock = FileLock::acquire(dir.fd(), "l", LockMode::Exclusive, milliseconds(0));
                }
                if (!lock) {
                    return 1;
                }
                // Two holders at once would lose counts, and find the other's mark.
                const Fd mark(::openat(dir.fd(), "mark", O_CREAT | O_EXCL | O_CLOEXEC, 0600));
                if (!mark) {
                    return 2;
                }
                const int count = std::stoi(dir.read("count"));
                dir.write("count", std::to_string(count + 1));
                if (!remove_file_at(dir.fd(), "mark") || !remove_file_at(dir.fd(), "l")) {
                    return 3;
                }
            }
            return 0;
        }));
    }
    for (const pid_t child : children) {
        CHECK(wait_for(child) == 0);
    }
    CHECK(dir.read("count") == std::to_string(kProcesses * kRounds));
}

TEST_CASE("a lock's name that is a link is refused") {
    const TempDir dir;
    dir.write("victim", "");
    std::filesystem::create_symlink("victim", dir.path() / "l");
    CHECK(FileLock::acquire(dir.fd(), "l", LockMode::Exclusive, milliseconds(0))
              .error()
              .error_number() == ELOOP);
}
