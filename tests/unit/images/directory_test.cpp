#include <sched.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "support.hpp"

using namespace warren;
using namespace warren::images;
using namespace warren::images::test;

namespace {

base::Result<ImageInfo> import_dir(const Store& store,
                                   const fs::path& path,
                                   const ImportLimits& limits = {}) {
    return store->import_directory(image_name("dir"), path.string(), limits, {});
}

}  // namespace

TEST_CASE("a directory becomes an image, with its links, holes and attributes") {
    const TempDir source;
    const fs::path& from = source.path();
    write_file(from / "etc/f", "content");
    fs::create_hard_link(from / "etc/f", from / "etc/g");
    fs::create_symlink("/etc/f", from / "link");
    fs::create_symlink("nowhere", from / "dangling");
    REQUIRE(::mkfifo((from / "fifo").c_str(), 0640) == 0);
    REQUIRE(::setxattr((from / "etc/f").c_str(), "user.k", "v", 1, 0) == 0);
    fs::permissions(from / "etc", fs::perms(0710));
    {
        const base::Fd fd = base::open_at(source.fd(), "sparse", O_WRONLY | O_CREAT, 0644).value();
        REQUIRE(::ftruncate(fd.get(), 32 << 20) == 0);
        REQUIRE(::pwrite(fd.get(), "end", 3, 16 << 20) == 3);
    }
    Store store;
    const auto info = import_dir(store, from);
    REQUIRE_MESSAGE(info.has_value(), info.error().describe());
    const fs::path root = store.root("dir");
    CHECK(read_file(root / "etc/f") == "content");
    CHECK(look(root / "etc/f").st_ino == look(root / "etc/g").st_ino);
    CHECK(look(root / "etc/f").st_ino != look(from / "etc/f").st_ino);
    CHECK(look(root / "etc/f").st_mtim.tv_nsec == look(from / "etc/f").st_mtim.tv_nsec);
    CHECK(look(root / "etc").st_mtim.tv_nsec == look(from / "etc").st_mtim.tv_nsec);
    CHECK((look(root / "etc").st_mode & 07777) == 0710);
    CHECK((look(root).st_mode & 07777) == 0700);
    CHECK(fs::read_symlink(root / "link") == "/etc/f");
    CHECK(fs::read_symlink(root / "dangling") == "nowhere");
    CHECK(S_ISFIFO(look(root / "fifo").st_mode));
    char value = 0;
    CHECK(::getxattr((root / "etc/f").c_str(), "user.k", &value, 1) == 1);
    CHECK(look(root / "sparse").st_size == 32 << 20);
    CHECK(look(root / "sparse").st_blocks * 512 < 1 << 20);
    CHECK(info.value().files == 3);
    CHECK(store->verify({}, {}).value().empty());
}

TEST_CASE("a directory is held to the same limits") {
    const TempDir source;
    write_file(source.path() / "a/b/f", "12345");
    Store store;
    const auto refuse = [&](const ImportLimits& limits) {
        const auto info = import_dir(store, source.path(), limits);
        REQUIRE(!info.has_value());
        CHECK(store.is_empty());
        return info.error().describe();
    };
    CHECK(contains(refuse({.entries = 2}), "more than 2 entries"));
    CHECK(contains(refuse({.file_bytes = 4}), "entry \"a/b/f\": file is larger than 4"));
    CHECK(contains(refuse({.depth = 2}), "deeper than 2"));
    CHECK(contains(refuse({.name_bytes = 0}), "name is longer"));
    CHECK(import_dir(store, source.path() / "missing").error().error_number() == ENOENT);
    CHECK(import_dir(store, source.path() / "a/b/f").error().error_number() == ENOTDIR);
}

TEST_CASE("the store itself cannot be imported") {
    Store store;
    const auto info = import_dir(store, store.path());
    REQUIRE(!info.has_value());
    CHECK(contains(info.error().describe(), "data directory"));
    CHECK(store.is_empty());
}

TEST_CASE("nodes come along, and owners that do not fit are refused") {
    NEEDS_ROOT();
    const TempDir source;
    REQUIRE(::mknod((source.path() / "null").c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0);
    Store store;
    REQUIRE(import_dir(store, source.path()).has_value());
    CHECK(look(store.root("dir") / "null").st_rdev == makedev(1, 3));
    write_file(source.path() / "far", "x");
    REQUIRE(::chown((source.path() / "far").c_str(), 100000, 0) == 0);
    Store other;
    const auto far = import_dir(other, source.path());
    REQUIRE(!far.has_value());
    CHECK(contains(far.error().describe(), "entry \"far\": owner 100000:0"));
    CHECK(other.is_empty());
    fs::remove(source.path() / "far");
    REQUIRE(::mknod((source.path() / "white").c_str(), S_IFCHR | 0666, makedev(0, 0)) == 0);
    CHECK(contains(import_dir(other, source.path()).error().describe(), "character device 0:0"));
    CHECK(other.is_empty());
}

TEST_CASE("mount points are not crossed") {
    NEEDS_ROOT();
    const TempDir source;
    fs::create_directories(source.path() / "mounted");
    write_file(source.path() / "bound", "own");
    write_file(source.path() / "other", "other");
    // In a mount namespace of a process of its own.
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        const std::string dir = (source.path() / "mounted").string();
        const std::string file = (source.path() / "bound").string();
        bool good =
            ::unshare(CLONE_NEWNS) == 0 &&
            ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
            ::mount("tmpfs", dir.c_str(), "tmpfs", 0, nullptr) == 0 &&
            ::mount((source.path() / "other").c_str(), file.c_str(), nullptr, MS_BIND, nullptr) ==
                0;
        if (good) {
            write_file(source.path() / "mounted/secret", "s");
            Store store;
            good = import_dir(store, source.path()).has_value() &&
                   fs::is_directory(store.root("dir") / "mounted") &&
                   fs::is_empty(store.root("dir") / "mounted") &&
                   !fs::exists(store.root("dir") / "bound") &&
                   fs::exists(store.root("dir") / "other");
        }
        ::_exit(good ? 0 : 1);
    }
    int status = -1;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    CHECK(status == 0);
}
