#include "runtime/state/files.hpp"

#include <filesystem>

#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "tests/unit/base/support.hpp"

using namespace warren::state;
using warren::base::test::TempDir;
namespace base = warren::base;

TEST_CASE("a scan tells directories from files and links from both") {
    const TempDir dir;
    std::filesystem::create_directory(dir.path() / "d");
    dir.write("f", "");
    std::filesystem::create_symlink("d", dir.path() / "l");
    REQUIRE(::mkfifo((dir.path() / "p").c_str(), 0600) == 0);
    using Names = std::vector<std::string>;
    CHECK(list_entries(dir.fd(), ".", EntryKind::Directory).value() == Names{"d"});
    CHECK(list_entries(dir.fd(), ".", EntryKind::File).value() == Names{"f"});
    CHECK(list_entries(dir.fd(), "absent", EntryKind::File).error().error_number() == ENOENT);
    CHECK(list_entries(dir.fd(), "f", EntryKind::File).error().error_number() == ENOTDIR);
}

TEST_CASE("missing directories are made, with their own mode only at the end") {
    const TempDir dir;
    const auto path = (dir.path() / "a/b/c").string();
    REQUIRE(make_and_open(path, 0711));
    REQUIRE(make_and_open(path + "/", 0700));
    const auto mode = [](const std::filesystem::path& at) {
        return static_cast<unsigned>(std::filesystem::status(at).permissions());
    };
    CHECK(mode(dir.path() / "a") == 0755);
    CHECK(mode(path) == 0711);
    dir.write("f", "");
    CHECK(make_and_open((dir.path() / "f").string(), 0700).error().error_number() == ENOTDIR);
    CHECK(make_and_open((dir.path() / "f/g").string(), 0700).error().error_number() == ENOTDIR);
}

TEST_CASE("a record's text has an end and a bound") {
    CHECK(record_text({{"a", 1}}).value() == "{\n  \"a\": 1\n}\n");
    CHECK_FALSE(record_text({{"a", std::string(kMaxRecord, 'x')}}));
}

TEST_CASE("a record is opened, absent, or an error") {
    const TempDir dir;
    dir.write("f", "text");
    const auto file = open_record(dir.fd(), "f");
    REQUIRE(file);
    REQUIRE(file.value());
    CHECK(base::read_all(file.value()->get(), 10, "f").value() == "text");
    CHECK_FALSE(open_record(dir.fd(), "absent").value());
    std::filesystem::create_symlink("f", dir.path() / "l");
    CHECK(open_record(dir.fd(), "l").error().error_number() == ELOOP);
}
