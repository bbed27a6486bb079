#include <csignal>

#include <sys/resource.h>

#include "base/fd.hpp"
#include "support.hpp"

using namespace warren::base;
using namespace warren::base::test;

namespace fs = std::filesystem;

TEST_CASE("a file is made or replaced with exactly its mode, and no temporary stays") {
    const TempDir dir;
    const mode_t old_umask = ::umask(077);
    for (const auto durability : {Durability::Volatile, Durability::Durable}) {
        REQUIRE(replace_file_at(dir.fd(), "f", "one", 0644, durability).has_value());
        CHECK(dir.read("f") == "one");
        REQUIRE(replace_file_at(dir.fd(), "f", "", 0600, durability).has_value());
        CHECK(dir.read("f").empty());
        CHECK(static_cast<unsigned>(fs::status(dir.path() / "f").permissions()) == 0600);
    }
    ::umask(old_umask);
    CHECK(list_dir(dir.fd(), ".").value() == std::vector<std::string>{"f"});
}

TEST_CASE("a name below a subdirectory and a directory by O_PATH do") {
    const TempDir dir;
    fs::create_directory(dir.path() / "sub");
    const Fd path_only = open_at(dir.fd(), ".", O_PATH | O_DIRECTORY).value();
    CHECK(replace_file_at(path_only.get(), "sub/f", "x", 0600, Durability::Durable).has_value());
    CHECK(dir.read("sub/f") == "x");
}

TEST_CASE("a reader who has the old file open keeps reading the old content") {
    const TempDir dir;
    dir.write("f", "old");
    const Fd reader = open_at(dir.fd(), "f", O_RDONLY).value();
    REQUIRE(replace_file_at(dir.fd(), "f", "new", 0600, Durability::Volatile).has_value());
    CHECK(read_all(reader.get(), 100, "f").value() == "old");
}

TEST_CASE("what a crashed writer left is written over") {
    const TempDir dir;
    dir.write("f", "old");
    dir.write("f.tmp", "half of something much longer than the new content");
    fs::permissions(dir.path() / "f.tmp", fs::perms::all);
    REQUIRE(replace_file_at(dir.fd(), "f", "new", 0600, Durability::Volatile).has_value());
    CHECK(dir.read("f") == "new");
    CHECK(static_cast<unsigned>(fs::status(dir.path() / "f").permissions()) == 0600);
    CHECK(!dir.has("f.tmp"));
}

TEST_CASE("a failure leaves the old content and no temporary") {
    const TempDir dir;
    dir.write("f", "old");
    SUBCASE("the rename fails") {
        fs::create_directories(dir.path() / "d/sub");
        CHECK(replace_file_at(dir.fd(), "d", "x", 0600, Durability::Volatile)
                  .error()
                  .error_number() == EISDIR);
        CHECK(!dir.has("d.tmp"));
    }
    SUBCASE("the write fails") {
        const pid_t child = spawn([&dir] {
            (void)::signal(SIGXFSZ, SIG_IGN);
            const struct rlimit limit = {10, 10};
            if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) {
                return 2;
            }
            const auto status =
                replace_file_at(dir.fd(), "f", std::string(100, 'x'), 0600, Durability::Durable);
            return !status && status.error().error_number() == EFBIG ? 0 : 1;
        });
        CHECK(wait_for(child) == 0);
    }
    SUBCASE("the temporary's name leads elsewhere") {
        dir.write("victim", "precious");
        fs::create_symlink("victim", dir.path() / "f.tmp");
        CHECK(!replace_file_at(dir.fd(), "f", "x", 0600, Durability::Volatile));
        CHECK(dir.read("victim") == "precious");
        fs::remove(dir.path() / "f.tmp");
    }
    CHECK(dir.read("f") == "old");
    CHECK(!dir.has("f.tmp"));
}

TEST_CASE("writers at once, some killed, never show a reader a torn file") {
    const TempDir dir;
    constexpr std::size_t kSize = 20000;
    dir.write("f", std::string(kSize, '0'));
    std::vector<pid_t> writers;
    for (const char letter : {'a', 'b', 'c', 'd'}) {
        writers.push_back(spawn([&dir, letter] {
            const std::string text(kSize + static_cast<std::size_t>(letter - 'a') * 1000, letter);
            for (;;) {
                if (!replace_file_at(dir.fd(), "f", text, 0600, Durability::Volatile)) {
                    return 1;
                }
            }
        }));
    }
    for (int i = 0; i < 300; ++i) {
        const auto text = read_file_at(dir.fd(), "f").value();
        REQUIRE(text.size() >= kSize);
        REQUIRE(text.find_first_not_of(text.front()) == std::string::npos);
        const auto whole = text.front() == '0'
                               ? kSize
                               : kSize + static_cast<std::size_t>(text.front() - 'a') * 1000;
        REQUIRE(text.size() == whole);
        if (i == 150) {
            CHECK(::kill(writers[0], SIGKILL) == 0);
        }
    }
    for (const pid_t writer : writers) {
        (void)::kill(writer, SIGKILL);
        CHECK(wait_for(writer) == 256 + SIGKILL);
    }
    CHECK(replace_file_at(dir.fd(), "f", "last", 0600, Durability::Volatile).has_value());
    CHECK(dir.read("f") == "last");
    CHECK(list_dir(dir.fd(), ".").value() == std::vector<std::string>{"f"});
}
