// Disks that are full or read-only, for real: a small tmpfs in a mount namespace of a child's own.
#include <cstdio>

#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include "tests/unit/state/support.hpp"

using namespace warren::state;
using namespace warren::state::test;
using warren::base::LockMode;
namespace base = warren::base;

namespace {

constexpr int kCannot = 77;

// Runs `body` with a tmpfs of 16 pages at `path`; says so when this process may not mount.
template <typename F>
void with_tmpfs(const std::filesystem::path& path, F body) {
    std::filesystem::create_directories(path);
    const auto child = spawn([&] {
        if (::unshare(CLONE_NEWNS) != 0 ||
            ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("none", path.c_str(), "tmpfs", 0, "size=65536") != 0) {
            return kCannot;
        }
        return body();
    });
    const int status = wait_for(child);
    if (status == kCannot) {
        MESSAGE("skipped: no right to mount");
        return;
    }
    CHECK(status == 0);
}

void fill(const std::filesystem::path& path) {
    struct statvfs info = {};
    (void)::statvfs(path.c_str(), &info);
    std::ofstream(path / "filler") << std::string(info.f_bsize * info.f_bavail, 'x');
}

bool make_read_only(const std::filesystem::path& path) {
    return ::mount("none", path.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, "size=65536") == 0;
}

bool fails(const base::Status& status, int error_number, const std::string& place) {
    return !status && status.error().error_number() == error_number &&
           status.error().describe().find(place) != std::string::npos;
}

// In the child, where doctest cannot count: says what failed and ends with it.
#define CHECK_IN_CHILD(condition)                                                      \
    do {                                                                               \
        if (!(condition)) {                                                            \
            (void)std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            return 1;                                                                  \
        }                                                                              \
    } while (false)

}  // namespace

TEST_CASE("on a full disk the old record stays, and what must go goes") {
    const TempDir dir;
    const auto root = dir.path() / "root";
    with_tmpfs(root, [&] {
        const auto opened = Store::open({root.string(), (dir.path() / "run").string()}, true);
        CHECK_IN_CHILD(opened);
        const Store& store = opened.value();
        CHECK_IN_CHILD(store.save_guest(guest_record("a")));
        fill(root);
        auto record = guest_record("a");
        record.phase = GuestPhase::Destroying;
        CHECK_IN_CHILD(fails(store.save_guest(record), ENOSPC, root.string() + "/guests/a"));
        CHECK_IN_CHILD(store.load_guest(guest("a")).value()->phase == GuestPhase::Ready);
        CHECK_IN_CHILD(
            fails(store.save_guest(guest_record("b")), ENOSPC, root.string() + "/guests/b"));
        CHECK_IN_CHILD(!store.load_guest(guest("b")).value());
        CHECK_IN_CHILD(store.remove_guest(guest("b")));
        CHECK_IN_CHILD(store.remove_guest(guest("a")));
        CHECK_IN_CHILD(store.guest_names().value().empty());
        return 0;
    });
}

TEST_CASE("a full run directory is named, and its old records stay") {
    const TempDir dir;
    const auto run = dir.path() / "run";
    with_tmpfs(run, [&] {
        const auto opened = Store::open({(dir.path() / "root").string(), run.string()}, true);
        CHECK_IN_CHILD(opened);
        const Store& store = opened.value();
        CHECK_IN_CHILD(store.save_run(run_record("a")));
        fill(run);
        auto record = run_record("a");
        record.phase = RunPhase::Stopping;
        CHECK_IN_CHILD(fails(store.save_run(record), ENOSPC, run.string()));
        CHECK_IN_CHILD(store.load_run(guest("a")).value()->phase == RunPhase::Running);
        CHECK_IN_CHILD(store.lock(guest("a"), LockMode::Exclusive, kNoWait));
        CHECK_IN_CHILD(store.remove_run(guest("a")));
        return 0;
    });
}

TEST_CASE("a read-only root is read, and named when it should be written") {
    const TempDir dir;
    const auto root = dir.path() / "root";
    with_tmpfs(root, [&] {
        const StorePaths paths{root.string(), (dir.path() / "run").string()};
        CHECK_IN_CHILD(Store::open(paths, true).value().save_guest(guest_record("a")));
        CHECK_IN_CHILD(make_read_only(root));
        const auto opened = Store::open(paths, true);
        CHECK_IN_CHILD(opened);
        const Store& store = opened.value();
        const auto a = guest("a");
        CHECK_IN_CHILD(store.load_guest(a).value());
        CHECK_IN_CHILD(fails(store.save_guest(guest_record("a")), EROFS, root.string()));
        CHECK_IN_CHILD(fails(store.save_guest(guest_record("b")), EROFS, root.string()));
        CHECK_IN_CHILD(fails(store.take_lease(1, a), EROFS, root.string()));
        CHECK_IN_CHILD(fails(store.remove_guest(a), EROFS, root.string()));
        CHECK_IN_CHILD(store.load_guest(a).value());
        const auto deeper = Store::open({root.string() + "/deeper", paths.run}, true);
        CHECK_IN_CHILD(!deeper && deeper.error().error_number() == EROFS);
        CHECK_IN_CHILD(deeper.error().describe().find(root.string() + "/deeper") !=
                       std::string::npos);
        return 0;
    });
}

TEST_CASE("a damaged record on a read-only root is told, not moved") {
    const TempDir dir;
    const auto root = dir.path() / "root";
    with_tmpfs(root, [&] {
        const StorePaths paths{root.string(), (dir.path() / "run").string()};
        CHECK_IN_CHILD(Store::open(paths, true).value().save_guest(guest_record("a")));
        dir.write("root/guests/a/guest.json", "{");
        CHECK_IN_CHILD(make_read_only(root));
        const auto loaded = Store::open(paths, false).value().load_guest(guest("a"));
        CHECK_IN_CHILD(!loaded && loaded.error().kind() == base::ErrorKind::Corrupt);
        CHECK_IN_CHILD(loaded.error().describe().find("could not be set aside") !=
                       std::string::npos);
        CHECK_IN_CHILD(dir.has("root/guests/a/guest.json"));
        return 0;
    });
}
