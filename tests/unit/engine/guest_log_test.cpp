#include "runtime/engine/guest_log.hpp"

#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "tests/unit/support/temp_dir.hpp"

namespace warren::engine {

namespace {

// A root and a run directory of their own, with one guest in them.
class Fixture {
public:
    Fixture() {
        paths_.store = {dir_.path() / "root", dir_.path() / "run"};
        auto store = state::Store::open(paths_.store, true);
        REQUIRE(store);
        store_.emplace(std::move(store).value());
        state::GuestRecord record;
        record.name = "web1";
        REQUIRE(store_->save_guest(record));
    }

    Context context() { return Context{paths_, *store_, host_, boot_id_, log_, faults_}; }

    [[nodiscard]] std::string log_path() const { return paths_.store.root + "/guests/web1/log"; }

    void append(const std::string& text) {
        const auto fd = open_log(context(), name(), ::geteuid(), ::getegid());
        REQUIRE(fd);
        REQUIRE(base::write_all(fd.value().get(), text, "log"));
    }

    // What write_log prints.
    std::string printed(std::optional<std::uint64_t> last_lines) {
        const std::string path = dir_.path() / "out";
        const auto out = base::open_at(AT_FDCWD, path, O_RDWR | O_CREAT | O_TRUNC, 0600);
        REQUIRE(out);
        REQUIRE(write_log(
            context(), name(), last_lines, false, out.value().get(), [] { return false; }));
        auto text = base::read_file_at(AT_FDCWD, path, 64U << 20U);
        REQUIRE(text);
        return std::move(text).value();
    }

    static base::Name name() { return base::Name::parse_guest("web1").value(); }

private:
    test::TempDir dir_;
    Paths paths_;
    std::optional<state::Store> store_;
    spec::HostCaps host_;
    std::string boot_id_;
    base::Log log_;
    Faults faults_;
};

}  // namespace

TEST_CASE("the whole log, its last lines, none") {
    Fixture fixture;
    CHECK(fixture.printed(std::nullopt).empty());
    fixture.append("one\ntwo\nthree\nunfinished");
    CHECK(fixture.printed(std::nullopt) == "one\ntwo\nthree\nunfinished");
    CHECK(fixture.printed(2) == "three\nunfinished");
    CHECK(fixture.printed(0).empty());
    CHECK(fixture.printed(100) == "one\ntwo\nthree\nunfinished");
    fixture.append("\n");
    CHECK(fixture.printed(1) == "unfinished\n");
}

TEST_CASE("a log over its bound loses its oldest part, and begins with a whole line") {
    Fixture fixture;
    std::string line(99, 'x');
    line += '\n';
    std::string block;
    for (int i = 0; i < 10000; ++i) {
        block += line;
    }
    for (int i = 0; i < 12; ++i) {
        fixture.append(block);
    }
    fixture.append("the end\n");
    const std::string text = fixture.printed(std::nullopt);
    CHECK(text.size() < kLogBytesMax);
    CHECK(text.size() > kLogBytesMax / 4);
    CHECK(text.starts_with(line));
    CHECK(text.ends_with("the end\n"));

    struct stat status {};

    REQUIRE(::stat(fixture.log_path().c_str(), &status) == 0);
    CHECK(static_cast<std::uint64_t>(status.st_blocks) * 512 <= kLogBytesMax);
}

TEST_CASE("a link in the place of the log is not followed") {
    Fixture fixture;
    std::filesystem::create_symlink("/etc/passwd", fixture.log_path());
    CHECK_FALSE(open_log(fixture.context(), Fixture::name(), 0, 0));
    const auto out = base::open_at(AT_FDCWD, "/dev/null", O_WRONLY);
    REQUIRE(out);
    CHECK_FALSE(
        write_log(fixture.context(), Fixture::name(), std::nullopt, false, out.value().get(), [] {
            return false;
        }));
}

}  // namespace warren::engine
