#include "isolation/mounts.hpp"

#include <cerrno>
#include <string>

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "base/fd.hpp"
#include "isolation/defaults.hpp"

namespace {

using namespace warren;
using isolation::DeviceRule;

constexpr std::uint32_t kOwner = 100000;

// Detached mounts need CAP_SYS_ADMIN over the host.
bool may_mount() {
    const base::Fd context(static_cast<int>(::syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC)));
    if (!context) {
        MESSAGE("skipped: may not mount here");
    }
    return context.valid();
}

DeviceRule device(std::string path, std::uint32_t major, std::uint32_t minor) {
    DeviceRule rule;
    rule.path = std::move(path);
    rule.major = major;
    rule.minor = minor;
    return rule;
}

struct stat status_of(const base::Fd& dir, const char* name) {
    struct stat status {};

    REQUIRE_MESSAGE(::fstatat(dir.get(), name, &status, AT_SYMLINK_NOFOLLOW) == 0, name);
    return status;
}

std::string mount_table() {
    return base::read_file_at(AT_FDCWD, "/proc/self/mountinfo").value();
}

class Tree {
public:
    explicit Tree(std::string pattern = "/tmp/warren-mounts-XXXXXX") : path_(std::move(pattern)) {
        REQUIRE(::mkdtemp(path_.data()) != nullptr);
    }

    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;
    Tree(Tree&&) = delete;
    Tree& operator=(Tree&&) = delete;

    ~Tree() { (void)base::remove_tree_at(AT_FDCWD, path_); }

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

// A user namespace in which `kOwner` + N is N, held by a child that waits.
class UserNamespace {
public:
    UserNamespace() {
        int ready[2];
        int go[2];
        REQUIRE(::pipe2(ready, O_CLOEXEC) == 0);
        REQUIRE(::pipe2(go, O_CLOEXEC) == 0);
        child_ = ::fork();
        REQUIRE(child_ >= 0);
        if (child_ == 0) {
            ::close(go[1]);
            char byte = ::unshare(CLONE_NEWUSER) == 0 ? '1' : '0';
            (void)!::write(ready[1], &byte, 1);
            (void)!::read(go[0], &byte, 1);
            ::_exit(0);
        }
        ::close(ready[1]);
        ::close(go[0]);
        hold_ = base::Fd(go[1]);
        const base::Fd answer(ready[0]);
        char byte = '0';
        REQUIRE(::read(answer.get(), &byte, 1) == 1);
        REQUIRE(byte == '1');
        const std::string proc = "/proc/" + std::to_string(child_);
        const std::string map = "0 " + std::to_string(kOwner) + " 65536\n";
        REQUIRE(base::write_knob_at(AT_FDCWD, proc + "/uid_map", map).has_value());
        REQUIRE(base::write_knob_at(AT_FDCWD, proc + "/gid_map", map).has_value());
        fd_ = base::open_at(AT_FDCWD, proc + "/ns/user", O_RDONLY).value();
    }

    UserNamespace(const UserNamespace&) = delete;
    UserNamespace& operator=(const UserNamespace&) = delete;
    UserNamespace(UserNamespace&&) = delete;
    UserNamespace& operator=(UserNamespace&&) = delete;

    ~UserNamespace() {
        hold_.reset();
        (void)::waitpid(child_, nullptr, 0);
    }

    [[nodiscard]] int fd() const { return fd_.get(); }

private:
    pid_t child_ = -1;
    base::Fd hold_;
    base::Fd fd_;
};

}  // namespace

TEST_CASE("/dev holds the allowed nodes, links and mount points, owned by the guest's root") {
    if (!may_mount()) {
        return;
    }
    const std::string before = mount_table();
    const mode_t mask = ::umask(0077);
    auto devices = isolation::default_devices(isolation::GuestKind::Machine);
    devices.push_back(device("/dev/fuse", 10, 229));
    devices.push_back(device("/dev/a/b/c", 1, 3));
    const auto made = isolation::make_dev(devices, kOwner, kOwner + 1);
    (void)::umask(mask);
    REQUIRE_MESSAGE(made.has_value(), made.error().describe());
    const base::Fd& dev = made.value();
    CHECK(mount_table() == before);

    const auto check = [&](const char* name, mode_t mode) {
        const auto status = status_of(dev, name);
        CHECK_MESSAGE(status.st_mode == mode, name);
        CHECK_MESSAGE(status.st_uid == kOwner, name);
        CHECK_MESSAGE(status.st_gid == kOwner + 1, name);
    };
    check(".", S_IFDIR | 0755);
    for (const char* name :
         {"null", "zero", "full", "random", "urandom", "tty", "net/tun", "fuse", "a/b/c"}) {
        check(name, S_IFCHR | 0666);
    }
    for (const char* name : {"pts", "shm", "mqueue", "net", "a", "a/b"}) {
        check(name, S_IFDIR | 0755);
    }
    for (const char* name : {"fd", "stdin", "stdout", "stderr", "ptmx"}) {
        check(name, S_IFLNK | 0777);
    }
    check("console", S_IFREG | 0600);
    CHECK(status_of(dev, "null").st_rdev == ::makedev(1, 3));
    CHECK(base::read_link_at(dev.get(), "ptmx").value() == "pts/ptmx");
    CHECK(base::read_link_at(dev.get(), "fd").value() == "/proc/self/fd");
    // The nodes work.
    const auto zero = base::open_at(dev.get(), "zero", O_RDONLY);
    REQUIRE(zero.has_value());
    char byte = 'x';
    CHECK(::read(zero.value().get(), &byte, 1) == 1);
    CHECK(byte == '\0');
}

TEST_CASE("/dev is small") {
    if (!may_mount()) {
        return;
    }
    const auto dev = isolation::make_dev({}, 0, 0);
    REQUIRE(dev.has_value());

    struct statvfs status {};

    REQUIRE(::fstatvfs(dev.value().get(), &status) == 0);
    CHECK(status.f_blocks * status.f_frsize <= 1U << 20);
    CHECK(status.f_files <= 1024);
    CHECK((status.f_flag & ST_NOSUID) != 0);
    CHECK((status.f_flag & ST_NODEV) == 0);
}

TEST_CASE("device paths that lead elsewhere are refused") {
    if (!may_mount()) {
        return;
    }
    for (const char* path : {"/dev",
                             "/dev/",
                             "/dev/..",
                             "/dev/../etc/x",
                             "/dev/a/../../x",
                             "/dev//null",
                             "/dev/a/",
                             "/etc/x",
                             "null",
                             "/dev/pts/7",
                             "/dev/shm/x",
                             "/dev/console",
                             "/dev/ptmx",
                             "/dev/fd",
                             "/dev/1/2/3/4/5/6/7/8/9/10"}) {
        const auto made = isolation::make_dev({device(path, 1, 3)}, 0, 0);
        REQUIRE_MESSAGE(!made, path);
        CHECK(made.error().kind() == base::ErrorKind::Usage);
    }
}

TEST_CASE("one device twice is one node, two under one name are an error") {
    if (!may_mount()) {
        return;
    }
    auto strict = device("/dev/null", 1, 3);
    strict.mode = 0600;
    const auto twice = isolation::make_dev({device("/dev/null", 1, 3), strict}, 0, 0);
    REQUIRE(twice.has_value());
    CHECK((status_of(twice.value(), "null").st_mode & 0777) == 0600);
    CHECK(!isolation::make_dev({device("/dev/null", 1, 3), device("/dev/null", 1, 5)}, 0, 0));
}

TEST_CASE("bind sources: directories, files, read-only") {
    if (!may_mount()) {
        return;
    }
    const Tree tree;
    const std::string before = mount_table();
    REQUIRE(base::replace_file_at(
                AT_FDCWD, tree.path() + "/f", "text", 0644, base::Durability::Volatile)
                .has_value());
    const auto directory = isolation::open_bind_source(tree.path(), false, true, -1);
    REQUIRE_MESSAGE(directory.has_value(), directory.error().describe());
    CHECK(base::read_file_at(directory.value().get(), "f").value() == "text");
    CHECK(base::open_at(directory.value().get(), "new", O_WRONLY | O_CREAT, 0600).has_value());
    const auto file = isolation::open_bind_source(tree.path() + "/f", false, false, -1);
    REQUIRE(file.has_value());
    const auto guarded = isolation::open_bind_source(tree.path(), true, true, -1);
    REQUIRE(guarded.has_value());
    const auto write = base::open_at(guarded.value().get(), "f", O_WRONLY);
    REQUIRE(!write);
    CHECK(write.error().error_number() == EROFS);
    CHECK(mount_table() == before);
}

TEST_CASE("a bind source that is not there") {
    if (!may_mount()) {
        return;
    }
    const auto absent = isolation::open_bind_source("/no/such/place", false, true, -1);
    REQUIRE(!absent);
    CHECK(absent.error().kind() == base::ErrorKind::Usage);
    CHECK(absent.error().describe().find("/no/such/place") != std::string::npos);
    CHECK(!isolation::open_bind_source("", false, true, -1));
    CHECK(!isolation::open_bind_source(std::string("/tmp\0x", 6), false, true, -1));
}

TEST_CASE("an idmapped bind shows the guest's own ids as the host's, on each file system") {
    if (!may_mount() || ::geteuid() != 0) {
        return;
    }
    const UserNamespace users;
    for (const char* pattern : {"/tmp/warren-mounts-XXXXXX",
                                "/var/tmp/warren-mounts-XXXXXX",
                                "/dev/shm/warren-mounts-XXXXXX"}) {
        const Tree tree(pattern);
        REQUIRE(base::replace_file_at(
                    AT_FDCWD, tree.path() + "/f", "", 0644, base::Durability::Volatile)
                    .has_value());
        const auto mapped = isolation::open_bind_source(tree.path(), false, true, users.fd());
        if (!mapped) {
            CHECK(mapped.error().kind() == base::ErrorKind::Unsupported);
            MESSAGE("skipped: ", mapped.error().describe());
            continue;
        }
        CHECK(status_of(mapped.value(), "f").st_uid == kOwner);
        // On disk, a file of the guest's root is root's.
        CHECK(::fchownat(mapped.value().get(), "f", kOwner + 7, kOwner + 7, 0) == 0);

        struct stat status {};

        REQUIRE(::stat((tree.path() + "/f").c_str(), &status) == 0);
        CHECK(status.st_uid == 7);
    }
}

TEST_CASE("a file system that cannot map ids is named") {
    if (!may_mount() || ::geteuid() != 0) {
        return;
    }
    const UserNamespace users;
    const auto proc = isolation::open_bind_source("/proc", false, false, users.fd());
    REQUIRE(!proc);
    CHECK(proc.error().kind() == base::ErrorKind::Unsupported);
    const std::string text = proc.error().describe();
    CHECK(text.find("(proc)") != std::string::npos);
    CHECK(text.find("--userns host") != std::string::npos);
}
