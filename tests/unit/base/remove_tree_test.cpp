#include <linux/fs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/fd.hpp"
#include "support.hpp"

using namespace warren::base;
using namespace warren::base::test;

namespace fs = std::filesystem;

namespace {

constexpr int kSkipped = 77;

// A chain of `depth` directories, each with a file and an empty directory in it.
bool make_chain(int at, const std::string& top, int depth) {
    if (::mkdirat(at, top.c_str(), 0700) != 0) {
        return false;
    }
    Fd here(::openat(at, top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (int i = 0; i < depth; ++i) {
        const Fd file(::openat(here.get(), "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        if (!file || ::mkdirat(here.get(), "empty", 0700) != 0 ||
            ::mkdirat(here.get(), "d", 0700) != 0) {
            return false;
        }
        here = Fd(::openat(here.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    return here.valid();
}

bool own_mount_namespace() {
    return ::unshare(CLONE_NEWNS) == 0 &&
           ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

// Runs in a child with a mount namespace of its own; says so where that is not allowed.
template <typename F>
void check_with_mounts(F body) {
    const int code = wait_for(spawn([&body] { return own_mount_namespace() ? body() : kSkipped; }));
    if (code == kSkipped) {
        MESSAGE("skipped: needs the right to mount");
        return;
    }
    CHECK(code == 0);
}

bool set_immutable(int dir, const char* name, bool on) {
    const Fd fd(::openat(dir, name, O_RDONLY | O_CLOEXEC));
    int flags = 0;
    if (!fd || ::ioctl(fd.get(), FS_IOC_GETFLAGS, &flags) != 0) {
        return false;
    }
    flags = on ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
    return ::ioctl(fd.get(), FS_IOC_SETFLAGS, &flags) == 0;
}

}  // namespace

TEST_CASE("a tree of every kind of file goes, and what its links point to stays") {
    const TempDir dir;
    fs::create_directories(dir.path() / "outside/deep");
    dir.write("outside/f", "precious");
    fs::create_directories(dir.path() / "t/a/b/c");
    dir.write("t/a/f", "x");
    dir.write("t/a/new\nline", "x");
    dir.write("t/a/\xff\xfe", "x");
    dir.write("t/.hidden", "x");
    fs::create_symlink(dir.path() / "outside", dir.path() / "t/a/absolute");
    fs::create_symlink("../../outside", dir.path() / "t/a/relative");
    fs::create_symlink("..", dir.path() / "t/a/b/up");
    fs::create_hard_link(dir.path() / "outside/f", dir.path() / "t/hard");
    REQUIRE(::mkfifo((dir.path() / "t/fifo").c_str(), 0600) == 0);
    if (::geteuid() == 0) {
        fs::permissions(dir.path() / "t/a/b/c", fs::perms::none);
    }
    const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    struct sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    const auto path = (dir.path() / "t/socket").string();
    path.copy(&address.sun_path[0], sizeof(address.sun_path) - 1);
    REQUIRE(::bind(socket.get(), reinterpret_cast<struct sockaddr*>(&address), sizeof(address)) ==
            0);

    const auto before = open_fd_count();
    const auto status = remove_tree_at(dir.fd(), "t");
    REQUIRE_MESSAGE(status.has_value(), status.error().describe());
    CHECK(open_fd_count() == before);
    CHECK(!dir.has("t"));
    CHECK(dir.read("outside/f") == "precious");
    CHECK(dir.has("outside/deep"));
}

TEST_CASE("the top may be absent, a file or a link, and must be a name") {
    const TempDir dir;
    CHECK(remove_tree_at(dir.fd(), "absent").has_value());
    CHECK(remove_tree_at(dir.fd(), "absent/below").has_value());
    dir.write("f", "x");
    CHECK(remove_tree_at(dir.fd(), "f").has_value());
    CHECK(!dir.has("f"));
    fs::create_directories(dir.path() / "target/sub");
    fs::create_symlink("target", dir.path() / "link");
    CHECK(remove_tree_at(dir.fd(), "link").has_value());
    CHECK(!dir.has("link"));
    CHECK(dir.has("target/sub"));
    for (const std::string path :
         {"", ".", "..", "/", "target/..", "target/.", "target/../", "//"}) {
        CAPTURE(path);
        CHECK(remove_tree_at(dir.fd(), path).error().error_number() == EINVAL);
    }
    CHECK(dir.has("target/sub"));
    CHECK(remove_tree_at(dir.fd(), "target/sub/").has_value());
    CHECK(dir.has("target"));
    CHECK(remove_tree_at(AT_FDCWD, (dir.path() / "target").string()).has_value());
    CHECK(!dir.has("target"));
}

TEST_CASE("a directory with very many names goes") {
    const TempDir dir;
    fs::create_directory(dir.path() / "t");
    for (int i = 0; i < 20000; ++i) {
        const auto name = "t/" + std::to_string(i);
        REQUIRE(::symlinkat("x", dir.fd(), name.c_str()) == 0);
    }
    CHECK(remove_tree_at(dir.fd(), "t").has_value());
    CHECK(!dir.has("t"));
}

TEST_CASE("depth costs neither stack nor descriptors") {
    const TempDir dir;
    REQUIRE(make_chain(dir.fd(), "t", 5000));
    const pid_t child = spawn([&dir] {
        const struct rlimit files = {64, 64};
        if (::setrlimit(RLIMIT_NOFILE, &files) != 0) {
            return 2;
        }
        return remove_tree_at(dir.fd(), "t") ? 0 : 1;
    });
    CHECK(wait_for(child) == 0);
    CHECK(list_dir(dir.fd(), ".").value().empty());
}

TEST_CASE("names that the walk would give itself are no trap") {
    const TempDir dir;
    REQUIRE(make_chain(dir.fd(), "t", 100));
    dir.write("t/.lifted-0", "a file");
    fs::create_directories(dir.path() / "t/.lifted-1/full");
    fs::create_directories(dir.path() / "t/.lifted-2");
    const auto status = remove_tree_at(dir.fd(), "t");
    REQUIRE_MESSAGE(status.has_value(), status.error().describe());
    CHECK(!dir.has("t"));
}

TEST_CASE("a mount in the tree is not entered, and the rest goes") {
    const TempDir dir;
    fs::create_directories(dir.path() / "t/sub/mnt");
    fs::create_directories(dir.path() / "t/other");
    fs::create_directories(dir.path() / "keep");
    dir.write("keep/f", "precious");
    dir.write("t/file-mount", "");
    const auto point = (dir.path() / "t/sub/mnt").string();
    const auto keep = (dir.path() / "keep").string();
    // By path, since dir.fd() sees the mounts of the namespace it was opened in.
    const auto tree = (dir.path() / "t").string();
    // A bind mount of the same file system: st_dev does not change here.
    check_with_mounts([&] {
        if (::mount(keep.c_str(), point.c_str(), nullptr, MS_BIND, nullptr) != 0 ||
            ::mount((keep + "/f").c_str(),
                    (dir.path() / "t/file-mount").c_str(),
                    nullptr,
                    MS_BIND,
                    nullptr) != 0) {
            return 2;
        }
        const auto status = remove_tree_at(AT_FDCWD, tree);
        const bool told = !status && status.error().kind() == ErrorKind::Busy &&
                          status.error().describe().starts_with("remove " + tree + "/") &&
                          status.error().secondary().size() == 1;
        return told && dir.has("t/sub/mnt/f") && !dir.has("t/other") && dir.has("t/file-mount") &&
                       dir.read("keep/f") == "precious"
                   ? 0
                   : 1;
    });
    // Mounted elsewhere only, the point does not hold the tree.
    CHECK(remove_tree_at(dir.fd(), "t").has_value());
    CHECK(dir.read("keep/f") == "precious");
}

TEST_CASE("a mount on the top itself is refused") {
    const TempDir dir;
    fs::create_directories(dir.path() / "t");
    fs::create_directories(dir.path() / "keep");
    dir.write("keep/f", "precious");
    const auto tree = (dir.path() / "t").string();
    check_with_mounts([&] {
        if (::mount((dir.path() / "keep").c_str(), tree.c_str(), nullptr, MS_BIND, nullptr) != 0) {
            return 2;
        }
        const auto status = remove_tree_at(AT_FDCWD, tree);
        return !status && status.error().kind() == ErrorKind::Busy ? 0 : 1;
    });
    CHECK(dir.read("keep/f") == "precious");
}

TEST_CASE("what cannot be removed is named once, and the rest goes") {
    const TempDir dir;
    REQUIRE(make_chain(dir.fd(), "t", 100));
    dir.write("t/fixed", "x");
    fs::create_directories(dir.path() / "t/d/d/fixed-dir");
    dir.write("t/d/d/fixed-dir/f", "x");
    if (!set_immutable(dir.fd(), "t/fixed", true) ||
        !set_immutable(dir.fd(), "t/d/d/fixed-dir", true)) {
        (void)set_immutable(dir.fd(), "t/fixed", false);
        MESSAGE("skipped: no immutable files here");
        return;
    }
    const auto status = remove_tree_at(dir.fd(), "t");
    CHECK(set_immutable(dir.fd(), "t/fixed", false));
    CHECK(set_immutable(dir.fd(), "t/d/d/fixed-dir", false));
    REQUIRE(!status.has_value());
    CHECK(status.error().error_number() == EPERM);
    CHECK(status.error().secondary().size() == 1);
    CHECK(dir.has("t/d/d/fixed-dir/f"));
    CHECK(!dir.has("t/d/d/d"));
    CHECK(!dir.has("t/f"));
    CHECK(remove_tree_at(dir.fd(), "t").has_value());
    CHECK(!dir.has("t"));
}
