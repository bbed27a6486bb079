#include <sys/sysmacros.h>

#include "support.hpp"

using namespace warren;
using namespace warren::images;
using namespace warren::images::test;

TEST_CASE("an archive becomes a tree with its types, modes, times and links") {
    Store store;
    Tar tar;
    tar.dir("./", 0750).dir("usr/").dir("usr/bin/", 0711);
    tar.add({.name = "usr/bin/su", .content = "program", .mode = 04755});
    tar.link("bin", "usr/bin").hardlink("usr/bin/su2", "usr/bin/su").hardlink("bin2", "bin");
    tar.add({.name = "fifo", .type = '6', .mode = 0600});
    tar.file(".wh.gone", "plain").file("/absolute/file", "a").file("empty", "");
    const auto info = store.import("one", tar.bytes());
    REQUIRE_MESSAGE(info.has_value(), info.error().describe());
    const fs::path root = store.root("one");
    CHECK(read_file(root / "usr/bin/su") == "program");
    CHECK((look(root / "usr/bin/su").st_mode & 07777) == 04755);
    CHECK(look(root / "usr/bin/su").st_mtime == 1'600'000'000);
    CHECK(look(root / "usr/bin").st_mtime == 1'600'000'000);
    CHECK((look(root / "usr/bin").st_mode & 07777) == 0711);
    CHECK((look(root).st_mode & 07777) == 0750);
    CHECK(look(root / "usr/bin/su").st_ino == look(root / "usr/bin/su2").st_ino);
    CHECK(fs::read_symlink(root / "bin2") == "usr/bin");
    CHECK(look(root / "bin").st_mtime == 1'600'000'000);
    CHECK(S_ISFIFO(look(root / "fifo").st_mode));
    CHECK(read_file(root / ".wh.gone") == "plain");
    CHECK(read_file(root / "absolute/file") == "a");
    CHECK(look(root / "empty").st_size == 0);
    CHECK(info.value().files == 5);
    CHECK(info.value().entries == 11);
    CHECK(info.value().bytes == 7 + 5 + 1);
    CHECK(store->load(image_name("one")).value().entries == 11);
}

TEST_CASE("names that are no text are kept as data and printed escaped") {
    Store store;
    Tar tar;
    const std::string odd = "a\nb\x01\xff";
    tar.file(odd, "1").add({.name = "x", .content = "2", .pax = {{"path", "gr\xc3\xbc\xc3\x9f"}}});
    tar.add({.name = "y", .content = "3", .pax = {{"path", "bad\xff\xfe"}}});
    const auto info = store.import("odd", tar.bytes());
    REQUIRE_MESSAGE(info.has_value(), info.error().describe());
    CHECK(read_file(store.root("odd") / odd) == "1");
    CHECK(read_file(store.root("odd") / "gr\xc3\xbc\xc3\x9f") == "2");
    CHECK(read_file(store.root("odd") / "bad\xff\xfe") == "3");
    Tar bad;
    bad.add({.name = "a\n\x1b[1m/../b", .content = "1"});
    Store other;
    const std::string text = other.refuse(bad.bytes());
    CHECK(contains(text, "\\x0a\\x1b[1m/../b"));
    CHECK(text.find('\n') == std::string::npos);
}

TEST_CASE("hostile entries are refused by name and nothing remains") {
    struct Case {
        const char* what;
        Tar tar;
        const char* expected;
    };

    const std::vector<Case> cases{
        {"up", Tar().file("../evil", "x"), "entry \"../evil\": path goes up by \"..\""},
        {"up inside", Tar().file("a/../../evil", "x"), "goes up"},
        {"absolute link parent",
         Tar().link("etc", "/etc").file("etc/evil", "x"),
         "entry \"etc/evil\": its parent \"etc\" is a link"},
        {"relative link parent", Tar().link("a", "../..").file("a/evil", "x"), "is a link"},
        {"inner link parent", Tar().dir("d").link("l", "d").file("l/evil", "x"), "is a link"},
        {"deep link parent", Tar().dir("d").link("d/l", "/").file("d/l/x/evil", "x"), "is a link"},
        {"file as parent", Tar().file("f", "x").file("f/evil", "x"), "no directory"},
        {"hard link up", Tar().hardlink("h", "../../etc/passwd"), "goes up"},
        {"hard link out", Tar().hardlink("h", "/etc/passwd"), "hard link to \"/etc/passwd\""},
        {"hard link through link",
         Tar().link("etc", "/etc").hardlink("h", "etc/passwd"),
         "is a link"},
        {"hard link to directory", Tar().dir("d").hardlink("h", "d"), "neither a file"},
        {"hard link to nothing", Tar().hardlink("h", "later").file("later", "x"), "no such entry"},
        {"hard link to root", Tar().hardlink("h", "."), "is the root"},
        {"file over directory", Tar().dir("d").file("d", "x"), "a directory of this name"},
        {"root as file", Tar().file(".", "x"), "the root is not a directory"},
        {"owner too large", Tar().add({.name = "f", .uid = 65536}), "owner 65536:"},
        {"group too large", Tar().add({.name = "f", .gid = 70000}), ":70000 does not fit"},
        {"whiteout", Tar().add({.name = "w", .type = '3'}), "character device 0:0"},
        {"overlay attribute",
         Tar().add(
             {.name = "d", .type = '5', .pax = {{"SCHILY.xattr.trusted.overlay.opaque", "y"}}}),
         "trusted.overlay.opaque"},
        {"user overlay attribute",
         Tar().add({.name = "d", .type = '5', .pax = {{"SCHILY.xattr.user.overlay.opaque", "y"}}}),
         "user.overlay.opaque"},
        {"other trusted attribute",
         Tar().add({.name = "f", .pax = {{"SCHILY.xattr.trusted.md5sum", "y"}}}),
         "trusted.md5sum"},
        {"bad capability",
         Tar().add({.name = "f", .pax = {{"SCHILY.xattr.security.capability", "junk"}}}),
         "capabilities are malformed"},
        {"acl without id",
         Tar().add({.name = "f",
                    .pax = {{"SCHILY.acl.access",
                             "user::rw-,user:eve:rwx,group::r--,mask::rwx,other::---"}}}),
         "\"eve\" without an id"},
    };
    for (const Case& test : cases) {
        CAPTURE(test.what);
        Store store;
        const std::string text = store.refuse(test.tar.bytes());
        CHECK_MESSAGE(contains(text, test.expected), text);
        CHECK(text.find('\n') == std::string::npos);
    }
}

TEST_CASE("a later entry replaces an earlier one and follows nothing") {
    const TempDir outside;
    write_file(outside.path() / "victim", "untouched");
    Store store;
    Tar tar;
    tar.file("f", "old")
        .file("f", "new")
        .link("l", (outside.path() / "victim").string())
        .file("l", "file");
    tar.link("d", outside.path().string()).dir("d").file("d/victim", "inside");
    tar.file("a", "same").hardlink("b", "a").file("a", "other").hardlink("a", "a");
    const auto info = store.import("twice", tar.bytes());
    REQUIRE_MESSAGE(info.has_value(), info.error().describe());
    const fs::path root = store.root("twice");
    CHECK(read_file(root / "f") == "new");
    CHECK(S_ISREG(look(root / "l").st_mode));
    CHECK(read_file(root / "d/victim") == "inside");
    CHECK(read_file(outside.path() / "victim") == "untouched");
    CHECK(read_file(root / "a") == "other");
    CHECK(read_file(root / "b") == "same");
}

TEST_CASE("limits name the entry that passes them") {
    const auto long_name = std::string(60, 'n');
    const auto limits_error = [](const Tar& tar, const ImportLimits& limits) {
        Store store;
        return store.refuse(tar.bytes(), limits);
    };
    Tar five;
    for (const char* name : {"1", "2", "3", "4", "5"}) {
        five.file(name, "12345");
    }
    CHECK(contains(limits_error(five, {.entries = 4}), "entry \"5\": more than 4 entries"));
    CHECK(contains(limits_error(five, {.total_bytes = 20}),
                   "entry \"5\": files are larger than 20 bytes together"));
    CHECK(contains(limits_error(five, {.file_bytes = 4}),
                   "entry \"1\": file is larger than 4 bytes"));
    CHECK(contains(limits_error(Tar().file(long_name, ""), {.name_bytes = 50}),
                   "name is longer than 50"));
    CHECK(contains(limits_error(Tar().file("a/b/c/d", ""), {.path_bytes = 6}),
                   "path is longer than 6"));
    CHECK(contains(limits_error(Tar().file("a/b/c/d", ""), {.depth = 3}), "deeper than 3"));
    CHECK(contains(
        limits_error(
            Tar().add({.name = "x", .pax = {{"SCHILY.xattr.user.a", std::string(100, 'x')}}}),
            {.xattr_bytes = 99}),
        "entry \"x\": extended attributes are larger than 99"));
    Store store;
    CHECK(store.import("fits", five.bytes(), {.entries = 5, .total_bytes = 25, .file_bytes = 5})
              .has_value());
}

TEST_CASE("parents that have no entry count as entries and belong to root") {
    NEEDS_ROOT();
    Store store;
    REQUIRE(store.import("parents", Tar().add({.name = "a/b/c", .content = "x", .uid = 7}).bytes())
                .has_value());
    CHECK(look(store.root("parents") / "a/b").st_uid == 0);
    CHECK((look(store.root("parents") / "a/b").st_mode & 07777) == 0755);
    Store small;
    CHECK(contains(small.refuse(Tar().file("a/b/c/d/e", "").bytes(), {.entries = 3}),
                   "more than 3 entries"));
}

TEST_CASE("device nodes are made as nodes") {
    NEEDS_ROOT();
    Store store;
    Tar tar;
    tar.add(
        {.name = "null", .type = '3', .mode = 0666, .uid = 3, .gid = 4, .major = 1, .minor = 3});
    tar.add({.name = "sda", .type = '4', .mode = 0660, .major = 8, .minor = 0});
    const auto info = store.import("nodes", tar.bytes());
    REQUIRE_MESSAGE(info.has_value(), info.error().describe());
    const auto null = look(store.root("nodes") / "null");
    CHECK(S_ISCHR(null.st_mode));
    CHECK(null.st_rdev == makedev(1, 3));
    CHECK((null.st_mode & 07777) == 0666);
    CHECK(null.st_uid == 3);
    CHECK(null.st_gid == 4);
    CHECK(S_ISBLK(look(store.root("nodes") / "sda").st_mode));
}

TEST_CASE("a setgid parent and a umask have no say in what is below") {
    NEEDS_ROOT();
    Store store;
    const mode_t old_umask = ::umask(077);
    Tar tar;
    tar.add({.name = "d", .type = '5', .mode = 02775, .uid = 0, .gid = 50})
        .add({.name = "d/s", .type = '5', .mode = 0755});
    tar.add({.name = "d/f", .content = "x", .mode = 0666}).file("d/made/f", "y");
    REQUIRE(store.import("setgid", tar.bytes()).has_value());
    ::umask(old_umask);
    CHECK((look(store.root("setgid") / "d").st_mode & 07777) == 02775);
    CHECK((look(store.root("setgid") / "d/s").st_mode & 07777) == 0755);
    CHECK(look(store.root("setgid") / "d/s").st_gid == 0);
    CHECK(look(store.root("setgid") / "d/made").st_gid == 0);
    CHECK((look(store.root("setgid") / "d/f").st_mode & 07777) == 0666);
}

TEST_CASE("a long entry name is shortened in the error line") {
    const std::string name(5000, 'n');
    for (const Tar& tar :
         {Tar().add({.name = "short", .pax = {{"path", name}}}),
          Tar().add({.name = "h", .type = '1', .link = "x", .pax = {{"linkpath", name}}})}) {
        Store store;
        const std::string text = store.refuse(tar.bytes());
        CHECK_MESSAGE(contains(text, "4800 bytes more"), text);
        CHECK_MESSAGE(text.size() < 500, text);
    }
}
