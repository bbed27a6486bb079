// Read-only binds against a guest's root that tries to change its mounts.
#include "isolation/locked_mount.hpp"

#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "guest_fixture.hpp"
#include "isolation/mounts.hpp"

using namespace warren;
using namespace warren::isolation;
using namespace warren::isolation::test;

namespace {

base::Fd locked_read_only(const std::string& path) {
    auto mount = open_bind_source(path, true, true, -1);
    REQUIRE(mount);
    auto locked = lock_mount(std::move(mount).value());
    if (!locked) {
        FAIL(locked.error().describe());
    }
    return std::move(locked).value();
}

base::Json attempt(const std::string& verb,
                   const std::string& path,
                   const std::string& source,
                   bool directory) {
    const TestRoot root;
    GuestSpec spec = guest_spec({verb, path, "x"});
    MountSpec bind;
    bind.kind = MountSpec::Kind::Bind;
    bind.slot = kFirstBindSlot;
    bind.target = "/data";
    bind.is_directory = directory;
    spec.mounts.push_back(bind);
    const auto mount = locked_read_only(source);
    return inspect(spec, root, {.binds = {mount.get()}});
}

}  // namespace

TEST_CASE("a guest's root cannot make a locked read-only directory writable") {
    if (!can_launch()) {
        return;
    }
    TestRoot volume;
    volume.make_file("file", "text");
    CHECK(attempt("remount-rw", "/data", volume.path(), true).at("errno") == EPERM);
    CHECK(attempt("write", "/data/new", volume.path(), true).at("errno") == EROFS);
    CHECK(attempt("cat", "/data/file", volume.path(), true).at("text") == "text");
    CHECK_FALSE(volume.has("new"));
}

TEST_CASE("a guest's root cannot make a locked read-only file writable") {
    if (!can_launch()) {
        return;
    }
    TestRoot volume;
    volume.make_file("file", "text");
    const std::string source = volume.path() + "/file";
    CHECK(attempt("remount-rw", "/data", source, false).at("errno") == EPERM);
    CHECK(attempt("cat", "/data", source, false).at("text") == "text");
}

TEST_CASE("a read-only bind of a guest with users of its own is locked") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    TestRoot volume(0);
    volume.make_file("file", "text");
    GuestSpec spec = guest_spec();
    base::Fd users;
    {
        const auto recipe = plan_guest(spec, {});
        REQUIRE(recipe);
        auto pending = PendingGuest::clone(spec, recipe.value(), -1, {});
        REQUIRE(pending);
        REQUIRE(pending.value().write_id_maps(IdMap::contiguous(kIdBase, kIdCount)));
        auto opened = pending.value().user_namespace();
        REQUIRE(opened);
        users = std::move(opened).value();
    }
    const auto attempt_write = [&](bool read_only) -> base::Json {
        const auto mount = open_bind_source(volume.path(), read_only, true, users.get());
        if (!mount && mount.error().kind() == base::ErrorKind::Unsupported) {
            MESSAGE("skipped: " << mount.error().describe());
            return nullptr;
        }
        REQUIRE(mount);
        MountSpec bind;
        bind.kind = MountSpec::Kind::Bind;
        bind.slot = kFirstBindSlot;
        bind.target = "/data";
        GuestSpec bound = guest_spec({"remount-rw", "/data"});
        bound.mounts.push_back(bind);
        return inspect(bound, root, {.binds = {mount.value().get()}}).at("errno");
    };
    const auto locked = attempt_write(true);
    if (locked != nullptr) {
        CHECK(locked == EPERM);
        CHECK(attempt_write(false) == 0);
    }
}

TEST_CASE("locking leaves no process and no descriptor behind") {
    if (!can_launch()) {
        return;
    }
    const TestRoot volume;
    const auto fds = open_fd_count();
    { const auto mount = locked_read_only(volume.path()); }
    CHECK(open_fd_count() == fds);
    CHECK(child_count() == 0);
    CHECK_FALSE(lock_mount(base::Fd()));
    const auto plain = base::open_dir(AT_FDCWD, "/tmp");
    REQUIRE(plain);
    // Not a detached mount: refused, and the host's tree is as it was.
    CHECK_FALSE(lock_mount(std::move(plain.value().duplicate()).value()));
    CHECK(open_fd_count() == fds + 1);
    CHECK(child_count() == 0);
}
