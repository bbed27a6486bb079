#include "base/fd.hpp"

#include "support.hpp"

using namespace warren::base;
using namespace warren::base::test;

namespace fs = std::filesystem;

TEST_CASE("Fd owns one descriptor and closes it once") {
    const auto before = open_fd_count();
    {
        Fd a(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        REQUIRE(a.valid());
        Fd b(std::move(a));
        CHECK(!a.valid());  // NOLINT(bugprone-use-after-move): empty is what it must be
        CHECK(b.valid());
        Fd c;
        c = std::move(b);
        c = Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        CHECK(open_fd_count() == before + 1);
        const Fd d = c.duplicate().value();
        CHECK(d.get() > 2);
        CHECK(is_cloexec(d.get()));
        const int raw = c.release();
        CHECK(!c.valid());
        CHECK(::close(raw) == 0);
    }
    CHECK(open_fd_count() == before);
    CHECK(Fd().duplicate().error().error_number() == EBADF);
}

TEST_CASE("closing keeps errno") {
    Fd broken(1 << 20);
    errno = EXDEV;
    broken.reset();
    CHECK(errno == EXDEV);
}

TEST_CASE("open_at opens close-on-exec in every mode of resolution") {
    const TempDir dir;
    dir.write("f", "x");
    for (const auto resolve : {Resolve::Plain, Resolve::NoSymlinks, Resolve::InRoot}) {
        const auto fd = open_at(dir.fd(), "f", O_RDONLY, 0, resolve);
        REQUIRE(fd.has_value());
        CHECK(is_cloexec(fd.value().get()));
    }
    const auto made = open_at(dir.fd(), "new", O_WRONLY | O_CREAT | O_EXCL, 0600, Resolve::InRoot);
    REQUIRE(made.has_value());
    CHECK((fs::status(dir.path() / "new").permissions() & fs::perms::mask) ==
          (fs::perms::owner_read | fs::perms::owner_write));
    const auto absent = open_at(dir.fd(), "absent", O_RDONLY);
    CHECK(absent.error().error_number() == ENOENT);
    CHECK(absent.error().what() == "open absent");
    CHECK(open_dir(dir.fd(), "f").error().error_number() == ENOTDIR);
}

TEST_CASE("NoSymlinks refuses links and ways out") {
    const TempDir dir;
    fs::create_directories(dir.path() / "sub");
    dir.write("sub/f", "x");
    fs::create_symlink("sub", dir.path() / "link");
    fs::create_symlink("sub/f", dir.path() / "flink");
    const Fd sub = open_dir(dir.fd(), "sub").value();
    const auto error = [](int at, const std::string& path) {
        const auto fd = open_at(at, path, O_RDONLY, 0, Resolve::NoSymlinks);
        return fd ? 0 : fd.error().error_number();
    };
    CHECK(error(dir.fd(), "sub/f") == 0);
    CHECK(error(dir.fd(), "sub/../sub/f") == 0);
    CHECK(error(dir.fd(), "link/f") == ELOOP);
    CHECK(error(dir.fd(), "flink") == ELOOP);
    CHECK(error(sub.get(), "../sub/f") == EXDEV);
    CHECK(error(sub.get(), "/etc") == EXDEV);
}

TEST_CASE("InRoot keeps links inside") {
    const TempDir outer;
    fs::create_directories(outer.path() / "root/etc");
    outer.write("secret", "outside");
    outer.write("root/etc/f", "inside");
    fs::create_symlink("/etc/f", outer.path() / "root/absolute");
    fs::create_symlink("../../../../etc/f", outer.path() / "root/relative");
    fs::create_symlink("../secret", outer.path() / "root/escape");
    fs::create_symlink("loop", outer.path() / "root/loop");
    const Fd root = open_dir(outer.fd(), "root").value();
    const auto read = [&root](const std::string& path) {
        return read_file_at(root.get(), path, 100, Resolve::InRoot);
    };
    CHECK(read("absolute").value() == "inside");
    CHECK(read("relative").value() == "inside");
    CHECK(read("/etc/f").value() == "inside");
    CHECK(read("../etc/f").value() == "inside");
    CHECK(read("escape").error().error_number() == ENOENT);
    CHECK(read("loop").error().error_number() == ELOOP);
    const Fd proc = open_dir(AT_FDCWD, "/proc/self").value();
    CHECK(open_dir(proc.get(), "cwd", Resolve::InRoot).error().error_number() == ELOOP);
}

TEST_CASE("a NUL byte does not cut a path short") {
    const TempDir dir;
    dir.write("f", "x");
    const std::string path("f\0.txt", 6);
    CHECK(open_at(dir.fd(), path, O_RDONLY).error().error_number() == EINVAL);
    CHECK(remove_file_at(dir.fd(), path).error().error_number() == EINVAL);
    CHECK(remove_tree_at(dir.fd(), path).error().error_number() == EINVAL);
    CHECK(exists_at(dir.fd(), path).error().error_number() == EINVAL);
    CHECK(make_dirs(dir.fd(), path, 0700).error().error_number() == EINVAL);
    CHECK(read_link_at(dir.fd(), path).error().error_number() == EINVAL);
    CHECK(!replace_file_at(dir.fd(), path, "y", 0600, Durability::Volatile));
    CHECK(dir.read("f") == "x");
}

TEST_CASE("proc_fd_path reopens a file") {
    const TempDir dir;
    dir.write("f", "hello");
    const Fd fd = open_at(dir.fd(), "f", O_PATH).value();
    CHECK(read_file_at(AT_FDCWD, proc_fd_path(fd.get())).value() == "hello");
}
