#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/lock.hpp"
#include "images/objects.hpp"
#include "support.hpp"

using namespace warren;
using namespace warren::images;
using namespace warren::images::test;

namespace {

Tar shared_files() {
    Tar tar;
    return tar.file("libc", std::string(5000, 'c'))
        .file("big", std::string(3U << 20U, 'b'))
        .file("empty", "");
}

}  // namespace

TEST_CASE("equal files of two images are one inode") {
    Store store;
    Tar second = shared_files();
    second.file("own", "mine")
        .add({.name = "libc-later", .content = std::string(5000, 'c'), .mtime = 5});
    second.add({.name = "libc-mode", .content = std::string(5000, 'c'), .mode = 0600});
    const auto a = store.import("a", shared_files().bytes());
    const auto b = store.import("b", second.bytes());
    REQUIRE(a.has_value());
    REQUIRE_MESSAGE(b.has_value(), b.error().describe());
    for (const char* name : {"libc", "big", "empty"}) {
        CAPTURE(name);
        CHECK(look(store.root("a") / name).st_ino == look(store.root("b") / name).st_ino);
    }
    CHECK(look(store.root("b") / "libc-later").st_ino != look(store.root("b") / "libc").st_ino);
    CHECK(look(store.root("b") / "libc-mode").st_ino != look(store.root("b") / "libc").st_ino);
    CHECK(a.value().shared_bytes == 0);
    CHECK(b.value().shared_bytes == 5000 + (3U << 20U));
    CHECK(store.object_count() == 6);
    CHECK(store->list().value().size() == 2);
}

TEST_CASE("equal files of one image stay different files, and share across images each for each") {
    Store store;
    Tar tar;
    tar.file("one", "same").file("two", "same").file("three", "same").hardlink("two-too", "two");
    REQUIRE(store.import("a", tar.bytes()).has_value());
    REQUIRE(store.import("b", tar.bytes()).has_value());
    const auto inode = [&](const char* image, const char* name) {
        return look(store.root(image) / name).st_ino;
    };
    CHECK(inode("a", "one") != inode("a", "two"));
    CHECK(inode("a", "one") != inode("a", "three"));
    CHECK(inode("a", "two") == inode("a", "two-too"));
    for (const char* name : {"one", "two", "three"}) {
        CHECK(inode("a", name) == inode("b", name));
    }
    CHECK(store.object_count() == 3);
    CHECK(store->verify({}, {}).value().empty());
}

TEST_CASE("remove leaves what another image has, and nothing else") {
    Store store;
    REQUIRE(store.import("a", shared_files().bytes()).has_value());
    REQUIRE(store.import("b", shared_files().file("own", "mine").bytes()).has_value());
    CHECK(store.object_count() == 4);
    REQUIRE(store->remove(image_name("b")).has_value());
    CHECK(store.object_count() == 3);
    CHECK(!store->exists(image_name("b")).value());
    CHECK(read_file(store.root("a") / "libc") == std::string(5000, 'c'));
    CHECK(store->verify({}, {}).value().empty());
    CHECK(store->remove(image_name("b")).error().kind() == base::ErrorKind::NotFound);
    const auto refused =
        store->remove(image_name("a"), []() -> base::Status { return base::fail("in use"); });
    CHECK(refused.error().what() == "in use");
    CHECK(store->exists(image_name("a")).value());
    REQUIRE(store->remove(image_name("a")).has_value());
    CHECK(store.is_empty());
}

TEST_CASE("a name that is taken is refused and the image stays") {
    Store store;
    REQUIRE(store.import("a", Tar().file("f", "1").bytes()).has_value());
    const auto again = store.import("a", Tar().file("f", "2").bytes());
    REQUIRE(!again.has_value());
    CHECK(again.error().kind() == base::ErrorKind::Exists);
    CHECK(read_file(store.root("a") / "f") == "1");
    CHECK(store.object_count() == 1);
    CHECK(store->load(image_name("b")).error().kind() == base::ErrorKind::NotFound);
    CHECK(store->open_root(image_name("b")).error().kind() == base::ErrorKind::NotFound);
}

TEST_CASE("verify finds what changed") {
    Store store;
    REQUIRE(store.import("a", shared_files().bytes()).has_value());
    REQUIRE(store.import("b", shared_files().bytes()).has_value());
    const fs::path file = store.root("a") / "libc";
    const auto before = look(file);
    {
        const base::Fd fd = base::open_at(AT_FDCWD, file.string(), O_WRONLY).value();
        REQUIRE(::pwrite(fd.get(), "X", 1, 2500) == 1);
        const timespec times[2] = {before.st_atim, before.st_mtim};
        REQUIRE(::futimens(fd.get(), times) == 0);
    }
    const auto problems = store->verify({}, {}).value();
    REQUIRE(problems.size() == 2);
    CHECK(problems[0].path == "libc");
    CHECK(problems[0].text == "differs from what was imported");
    CHECK(store->verify(image_name("b"), {}).value().size() == 1);
    CHECK(store->verify(image_name("none"), {}).error().kind() == base::ErrorKind::NotFound);
}

TEST_CASE("verify finds a changed mode, a missing file and a file that is no link to an object") {
    Store store;
    REQUIRE(store.import("a", Tar().file("m", "1").file("gone", "22").file("own", "333").bytes())
                .has_value());
    REQUIRE(::chmod((store.root("a") / "m").c_str(), 0777) == 0);
    fs::remove(store.root("a") / "gone");
    fs::remove(store.root("a") / "own");
    write_file(store.root("a") / "own", "333");
    std::map<std::string, std::string> found;
    const auto problems = store->verify(image_name("a"), {}).value();
    for (const auto& problem : problems) {
        found[problem.path] = problem.text;
    }
    CHECK(found.at("m") == "differs from what was imported");
    CHECK(found.at("own") == "is not in the object store");
    CHECK(contains(found.at(""), "has 2 entries"));
}

TEST_CASE("an image whose description is damaged is listed as such, is named, and can be removed") {
    Store store;
    REQUIRE(store.import("bad", Tar().file("f", "1").bytes()).has_value());
    REQUIRE(store.import("good", Tar().file("f", "1").bytes()).has_value());
    for (const char* text :
         {"", "{", "{\"schema_version\": 1}", "{\"schema_version\": 99}", "[]"}) {
        CAPTURE(text);
        write_file(store.path() / "images/bad/image.json", text);
        const auto list = store->list().value();
        REQUIRE(list.size() == 2);
        CHECK(contains(list[0].source, "damaged"));
        CHECK(list[1].source == "import test");
        CHECK(store->load(image_name("bad")).error().kind() == base::ErrorKind::Corrupt);
        CHECK(contains(store->load(image_name("bad")).error().describe(), "image bad"));
    }
    fs::remove(store.path() / "images/bad/image.json");
    CHECK(store->load(image_name("bad")).error().kind() == base::ErrorKind::Corrupt);
    CHECK(store->remove(image_name("bad")).has_value());
    CHECK(store->list().value().size() == 1);
}

TEST_CASE("what a killed import left is removed by the next, what a living one holds is not") {
    Store store;
    fs::create_directories(store.path() / "images/.tmp-dead/root/etc");
    write_file(store.path() / "images/.tmp-dead/root/etc/f", "x");
    fs::create_directories(store.path() / "images/.tmp-alive/root");
    const base::Fd alive = base::open_dir(store.data(), "images/.tmp-alive").value();
    REQUIRE(::flock(alive.get(), LOCK_EX) == 0);
    CHECK(store->list().value().empty());
    REQUIRE(store.import("a", Tar().file("f", "1").bytes()).has_value());
    CHECK(!fs::exists(store.path() / "images/.tmp-dead"));
    CHECK(fs::exists(store.path() / "images/.tmp-alive"));
    CHECK(::flock(alive.get(), LOCK_UN) == 0);
    REQUIRE(store->remove(image_name("a")).has_value());
    CHECK(store.is_empty());
}

TEST_CASE("an import that is killed leaves what the next one cleans") {
    Store store;
    int pipe_fds[2];
    REQUIRE(::pipe2(pipe_fds, O_CLOEXEC) == 0);
    const base::Fd read_end(pipe_fds[0]);
    base::Fd write_end(pipe_fds[1]);
    Tar tar;
    tar.file("first", "1").file("second", "2");
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        (void)store->import_archive(image_name("a"), read_end.get(), "import -", {}, {});
        ::_exit(0);
    }
    // Without an end: it waits for more. It has begun when the directory is there.
    REQUIRE(base::write_all(write_end.get(), tar.open_bytes(), "pipe").has_value());
    for (int tries = 0; tries < 10'000 && fs::is_empty(store.path() / "images"); ++tries) {
        ::usleep(1000);
    }
    REQUIRE(::kill(pid, SIGKILL) == 0);
    REQUIRE(::waitpid(pid, nullptr, 0) == pid);
    CHECK(!fs::is_empty(store.path() / "images"));
    CHECK(store->list().value().empty());
    REQUIRE(store.import("b", Tar().file("f", "1").bytes()).has_value());
    REQUIRE(store->remove(image_name("b")).has_value());
    CHECK(store.is_empty());
}

TEST_CASE("a full store is an error that leaves nothing") {
    Store store;
    const rlimit old = [] {
        rlimit limit{};
        ::getrlimit(RLIMIT_FSIZE, &limit);
        return limit;
    }();
    (void)::signal(SIGXFSZ, SIG_IGN);
    const std::string bytes = Tar().file("f", std::string(300'000, 'x')).bytes();
    const base::Fd fd = memory_file(bytes);
    const rlimit small{100'000, old.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    const auto imported = store->import_archive(image_name("a"), fd.get(), "import", {}, {});
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &old) == 0);
    REQUIRE(!imported.has_value());
    CHECK(imported.error().error_number() == EFBIG);
    CHECK(contains(imported.error().describe(), "entry \"f\""));
    CHECK(store.is_empty());
}

TEST_CASE("garbage collection waits for whoever holds the store") {
    Store store;
    REQUIRE(store.import("a", Tar().file("f", "1").bytes()).has_value());
    const base::Fd held = base::open_at(store.data(), "images", O_RDONLY | O_DIRECTORY).value();
    REQUIRE(::flock(held.get(), LOCK_SH) == 0);
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        ::_exit(store->remove(image_name("a")).has_value() ? 0 : 1);
    }
    ::usleep(50'000);
    CHECK(::waitpid(pid, nullptr, WNOHANG) == 0);
    CHECK(store->exists(image_name("a")).value());
    REQUIRE(::flock(held.get(), LOCK_UN) == 0);
    int status = -1;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    CHECK(status == 0);
    CHECK(store.is_empty());
}

TEST_CASE("an object with no links left to give is followed by a copy") {
    Store store;
    const std::string bytes = Tar().file("f", "popular").bytes();
    REQUIRE(store.import("a", bytes).has_value());
    const fs::path links = store.path() / "links";
    fs::create_directory(links);
    const std::string file = (store.root("a") / "f").string();
    for (int i = 0; i < 60'000; ++i) {
        if (::link(file.c_str(), (links / std::to_string(i)).c_str()) != 0) {
            MESSAGE("skipped: this file system gives only " << i << " links");
            return;
        }
    }
    REQUIRE(store.import("b", bytes).has_value());
    REQUIRE(store.import("c", bytes).has_value());
    CHECK(look(store.root("b") / "f").st_ino != look(file).st_ino);
    CHECK(look(store.root("b") / "f").st_ino == look(store.root("c") / "f").st_ino);
    CHECK(store.object_count() == 2);
    CHECK(store->verify({}, {}).value().empty());
}

TEST_CASE("object names") {
    const std::string digest(64, 'a');
    CHECK(object_path(digest, 0) == "aa/" + digest);
    CHECK(object_path(digest, 3) == "aa/" + digest + ".3");
    CHECK(digest_in_name(digest) == digest);
    CHECK(digest_in_name(digest + ".3") == digest);
    CHECK(digest_in_name(digest + "b").empty());
    CHECK(digest_in_name("aa").empty());
    CHECK(digest_in_name(std::string(64, 'g')).empty());
}
