#include <algorithm>

#include <sys/stat.h>

#include "base/fd.hpp"
#include "support.hpp"

using namespace warren::base;
using namespace warren::base::test;

namespace fs = std::filesystem;

namespace {

unsigned mode_of(const fs::path& path) {
    return static_cast<unsigned>(fs::symlink_status(path).permissions());
}

}  // namespace

TEST_CASE("make_dirs makes what is missing, with its mode, and leaves the rest") {
    const TempDir dir;
    const mode_t old_umask = ::umask(077);
    REQUIRE(make_dirs(dir.fd(), "a/b/c", 0755).has_value());
    ::umask(old_umask);
    CHECK(mode_of(dir.path() / "a") == 0755);
    CHECK(mode_of(dir.path() / "a/b/c") == 0755);
    REQUIRE(make_dirs(dir.fd(), "a//b/d/", 0700).has_value());
    CHECK(mode_of(dir.path() / "a") == 0755);
    CHECK(mode_of(dir.path() / "a/b/d") == 0700);
    CHECK(make_dirs(dir.fd(), "a/b/c", 0700).has_value());
    CHECK(mode_of(dir.path() / "a/b/c") == 0755);
    CHECK(make_dirs(AT_FDCWD, (dir.path() / "x/y").string(), 0700).has_value());
    CHECK(fs::is_directory(dir.path() / "x/y"));
    dir.write("file", "");
    CHECK(make_dirs(dir.fd(), "file", 0700).error().error_number() == ENOTDIR);
    CHECK(make_dirs(dir.fd(), "file/sub", 0700).error().error_number() == ENOTDIR);
    fs::create_symlink("nowhere", dir.path() / "dangling");
    CHECK(!make_dirs(dir.fd(), "dangling", 0700));
    CHECK(!make_dirs(dir.fd(), "dangling/sub", 0700));
    CHECK(!make_dirs(dir.fd(), "", 0700));
}

TEST_CASE("read_file_at reads up to the limit and not a byte more") {
    const TempDir dir;
    for (const std::size_t size : {0U, 1U, 4095U, 4096U, 4097U, 100000U}) {
        CAPTURE(size);
        const std::string text(size, 'x');
        dir.write("f", text);
        CHECK(read_file_at(dir.fd(), "f", size).value() == text);
        CHECK(read_file_at(dir.fd(), "f", size + 1).value() == text);
        if (size > 0) {
            CHECK(read_file_at(dir.fd(), "f", size - 1).error().error_number() == EFBIG);
        }
    }
    CHECK(read_file_at(AT_FDCWD, "/proc/self/status").value().starts_with("Name:"));
    CHECK(read_file_at(dir.fd(), ".").error().error_number() == EISDIR);
    CHECK(read_file_at(AT_FDCWD, "/dev/zero", 100000).error().error_number() == EFBIG);
}

TEST_CASE("write_knob_at writes to what exists and says what was refused") {
    const TempDir dir;
    dir.write("knob", "old");
    CHECK(write_knob_at(dir.fd(), "knob", "new").has_value());
    CHECK(dir.read("knob") == "new");
    CHECK(write_knob_at(dir.fd(), "absent", "1").error().error_number() == ENOENT);
    CHECK(!dir.has("absent"));
    const auto full = write_knob_at(AT_FDCWD, "/dev/full", "12\n");
    REQUIRE(!full.has_value());
    CHECK(full.error().describe() == "write \"12\" to /dev/full: No space left on device");
    CHECK(write_knob_at(AT_FDCWD, "/dev/full", std::string(5000, 'x')).error().what().size() < 100);
}

TEST_CASE("write_all gets everything through a pipe that takes pieces") {
    int ends[2];
    REQUIRE(::pipe2(&ends[0], O_CLOEXEC) == 0);
    Fd in(ends[0]);
    Fd out(ends[1]);
    const std::string text(1 << 20, 'y');
    const pid_t writer = spawn([&] {
        in.reset();
        return write_all(out.get(), text, "pipe") ? 0 : 1;
    });
    out.reset();
    CHECK(read_all(in.get(), text.size(), "pipe").value() == text);
    CHECK(wait_for(writer) == 0);
}

TEST_CASE("list_dir lists all but the dots") {
    const TempDir dir;
    CHECK(list_dir(dir.fd(), ".").value().empty());
    fs::create_directory(dir.path() / "sub");
    dir.write(".hidden", "");
    dir.write("...", "");
    fs::create_symlink("nowhere", dir.path() / "link");
    auto names = list_dir(dir.fd(), ".").value();
    std::sort(names.begin(), names.end());
    CHECK(names == std::vector<std::string>{"...", ".hidden", "link", "sub"});
    CHECK(list_dir(dir.fd(), ".").value().size() == 4);  // `dir`'s own offset is not used up
    CHECK(list_dir(dir.fd(), "absent").error().error_number() == ENOENT);
    CHECK(list_dir(dir.fd(), ".hidden").error().error_number() == ENOTDIR);
}

TEST_CASE("remove_file_at, exists_at and read_link_at look at names, not behind links") {
    const TempDir dir;
    dir.write("f", "x");
    fs::create_symlink("f", dir.path() / "link");
    fs::create_symlink("nowhere", dir.path() / "dangling");
    CHECK(exists_at(dir.fd(), "dangling").value());
    CHECK(!exists_at(dir.fd(), "nowhere").value());
    CHECK(!exists_at(dir.fd(), "f/below").value());
    CHECK(read_link_at(dir.fd(), "dangling").value() == "nowhere");
    CHECK(read_link_at(AT_FDCWD, "/proc/self/cwd").value() == fs::current_path().string());
    CHECK(read_link_at(dir.fd(), "f").error().error_number() == EINVAL);
    CHECK(remove_file_at(dir.fd(), "link").has_value());
    CHECK(dir.has("f"));
    CHECK(remove_file_at(dir.fd(), "f").has_value());
    CHECK(remove_file_at(dir.fd(), "f").has_value());
    CHECK(!dir.has("f"));
    CHECK(!remove_file_at(dir.fd(), "."));
}
