// Roots made to lead the launcher astray: links, pipes and files where mounts go.
#include <csignal>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "guest_fixture.hpp"
#include "isolation/launcher.hpp"

using namespace warren;
using namespace warren::isolation;
using namespace warren::isolation::test;

namespace {

// Whether a mount of this process's namespace has to do with a test's directories.
bool in_mount_table(const std::string& path) {
    const auto text = base::read_file_at(AT_FDCWD, "/proc/self/mountinfo");
    REQUIRE(text);
    return text.value().find(path) != std::string::npos;
}

MountSpec tmpfs_at(const std::string& target) {
    MountSpec mount;
    mount.fs_type = "tmpfs";
    mount.target = target;
    return mount;
}

}  // namespace

TEST_CASE("links at the places of proc, sys and dev are refused") {
    if (!can_launch()) {
        return;
    }
    const OutsideDir outside;
    for (const std::string name : {"proc", "sys", "dev"}) {
        for (const std::string& target :
             {outside.path(), std::string("/bin"), "../.." + outside.path()}) {
            CAPTURE(name);
            CAPTURE(target);
            TestRoot root;
            root.make_link(target, name);
            CHECK(
                refusal(launch(guest_spec(), root)).ends_with("Too many levels of symbolic links"));
        }
    }
    CHECK_FALSE(in_mount_table(outside.path()));
    CHECK(child_count() == 0);
}

TEST_CASE("links in other mount targets stay inside the root") {
    if (!can_launch()) {
        return;
    }
    const OutsideDir outside;
    TestRoot root;
    root.make_dir("inner");
    root.make_link("/inner", "absolute");
    root.make_link("../../../../../../inner", "climbing");
    GuestSpec spec = guest_spec();
    for (const std::string link : {"/absolute", "/climbing"}) {
        CAPTURE(link);
        spec.mounts.push_back(tmpfs_at(link + "/made/below"));
        const auto report = inspect(spec, root);
        CHECK(mount_at(report, "/inner/made/below"));
        spec.mounts.pop_back();
    }
    // To a path of the host: made inside, where it is missing; never outside.
    root.make_link(outside.path(), "away");
    for (const std::string below : {"/made", ""}) {
        CAPTURE(below);
        spec.mounts.push_back(tmpfs_at("/away" + below));
        const auto report = inspect(spec, root);
        CHECK(mount_at(report, outside.path() + below));
        spec.mounts.pop_back();
    }
    CHECK(::access((outside.path() + "/made").c_str(), F_OK) != 0);
}

TEST_CASE("magic links of the guest's own proc lead nowhere") {
    if (!can_launch()) {
        return;
    }
    TestRoot root;
    root.make_link("/proc/1/root", "up");
    root.make_link("/proc/self/cwd", "here");
    GuestSpec spec = guest_spec();
    for (const auto* target : {"/up/x", "/here/x"}) {
        CAPTURE(target);
        spec.mounts.push_back(tmpfs_at(target));
        CHECK(refusal(launch(spec, root)).ends_with("Too many levels of symbolic links"));
        spec.mounts.pop_back();
    }
}

TEST_CASE("a file or pipe where a directory should be is an error, and nothing blocks on it") {
    if (!can_launch()) {
        return;
    }
    for (const bool pipe : {true, false}) {
        CAPTURE(pipe);
        TestRoot root;
        pipe ? root.make_fifo("proc") : root.make_file("proc", "");
        CHECK(refusal(launch(guest_spec(), root)).starts_with("mounts[0]: mount proc on /proc: "));
    }
}

TEST_CASE("masks and read-only paths follow links inside the root only") {
    if (!can_launch()) {
        return;
    }
    const OutsideDir outside;
    TestRoot root;
    root.make_dir("real");
    root.make_file("real/key", "k");
    root.make_link("/real", "link");
    root.make_link(outside.path(), "away");
    GuestSpec spec = guest_spec({"cat", "/real/key"});
    spec.masked_paths = {"/link", "/away"};
    spec.readonly_paths = {"/away"};
    CHECK(inspect(spec, root).at("errno") == ENOENT);
}

TEST_CASE("a working directory reached through a descriptor or a link outside is refused") {
    if (!can_launch()) {
        return;
    }
    // A directory of the host, open in the caller and not close-on-exec (CVE-2024-21626).
    const base::Fd leak(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(leak.valid());
    REQUIRE(::fcntl(leak.get(), F_SETFD, 0) == 0);
    TestRoot root;
    const std::string number = std::to_string(leak.get());
    root.make_link("/proc/self/fd/" + number, "work");
    for (const auto& cwd : {"/proc/self/fd/" + number,
                            "/proc/1/fd/" + number,
                            std::string("/work"),
                            "/proc/self/fd/" + number + "/../.."}) {
        CAPTURE(cwd);
        GuestSpec spec = guest_spec();
        spec.process.cwd = cwd;
        CHECK(refusal(launch(spec, root)).starts_with("cwd: change to "));
    }
    // Every number: whatever the launcher itself has open.
    for (int fd = 3; fd < 40; ++fd) {
        CAPTURE(fd);
        GuestSpec spec = guest_spec();
        spec.process.cwd = "/proc/self/fd/" + std::to_string(fd);
        CHECK(refusal(launch(spec, root)).starts_with("cwd: change to "));
    }
}

TEST_CASE("a guest's mounts are not in the host's table") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    auto running = launch(guest_spec({"hold"}), root);
    REQUIRE(running);
    (void)running.value().report();
    CHECK_FALSE(in_mount_table(root.path()));
    running.value().signal(SIGTERM);
    CHECK(running.value().wait() == base::ExitStatus{});
    CHECK_FALSE(in_mount_table(root.path()));
}
