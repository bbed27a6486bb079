// A root that was prepared by somebody who wishes us ill.
#include <csignal>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "container_fixture.hpp"

using namespace warren;
using namespace warren::isolation;
using namespace warren::isolation::test;

TEST_CASE("proc and sysfs are not mounted through links") {
    if (!can_launch()) {
        return;
    }
    TestRoot root(0);
    root.make_dir("elsewhere");
    SUBCASE("proc") {
        root.make_link("elsewhere", "proc");
        CHECK(create_error(container_spec(root), root) ==
              "mounts[0]: mount proc on /proc: Too many levels of symbolic links");
    }
    SUBCASE("sysfs") {
        root.make_link("/elsewhere", "sys");
        CHECK(create_error(container_spec(root), root) ==
              "mounts[3]: mount sysfs on /sys: Too many levels of symbolic links");
    }
}

TEST_CASE("links at targets lead nowhere but into the root") {
    if (!can_launch()) {
        return;
    }
    char outside[] = "/tmp/warren-outside-XXXXXX";
    REQUIRE(::mkdtemp(outside) != nullptr);
    TestRoot root(0);
    root.make_dir("tmp");
    const std::string up = "../../../../../../.." + std::string(outside);
    ContainerSpec spec = container_spec(root);
    spec.mounts.push_back(file_system("tmpfs", "/trap"));
    SUBCASE("a mount") {
        root.make_link(outside, "trap");
        CHECK(create_error(spec, root) == "");
    }
    SUBCASE("a mount, with hooks in between") {
        root.make_link(up, "trap");
        spec.create_container_hooks = {
            hook("hooks.createContainer[0]", {WARREN_PAYLOAD, "exit", "0"})};
        CHECK(create_error(spec, root) == "");
    }
    SUBCASE("what is made below /dev") {
        spec.mounts.clear();
        root.make_link(up, "dev");
        CHECK(create_error(spec, root) == "");
    }
    SUBCASE("the place of a file") {
        ContainerMount file;
        file.source = MountSource::HostPath;
        file.host_path = "/proc/version";
        file.target = "/etc/resolv.conf";
        file.is_directory = false;
        root.make_dir("etc");
        root.make_link(up + "/resolv.conf", "etc/resolv.conf");
        spec.mounts.back() = file;
        CHECK(create_error(spec, root) == "");
        CHECK(root.has("tmp/" + std::string(outside).substr(5) + "/resolv.conf"));
    }
    SUBCASE("links that lead to each other") {
        root.make_link("other", "trap");
        root.make_link("trap", "other");
        CHECK(create_error(spec, root) ==
              "mounts[4]: mount tmpfs on /trap: Too many levels of symbolic links");
    }
    const auto names = base::list_dir(AT_FDCWD, outside);
    REQUIRE(names);
    CHECK(names.value().empty());
    CHECK(::rmdir(outside) == 0);
}

TEST_CASE("what stands at the place of a node is not taken for it") {
    if (!can_launch()) {
        return;
    }
    TestRoot root(0);
    root.make_dir("dev");
    ContainerSpec spec = container_spec(root);
    spec.mounts = {file_system("proc", "/proc")};
    spec.links.clear();
    SUBCASE("a file") {
        root.make_file("dev/null", "mine");
    }
    SUBCASE("a link to a device") {
        root.make_link("/dev/zero", "dev/null");
    }
    SUBCASE("a pipe") {
        root.make_fifo("dev/null");
    }
    SUBCASE("another device") {
        const std::string path = root.path() + "/dev/null";
        REQUIRE(::mknod(path.c_str(), S_IFCHR | 0666, 1 << 8 | 5) == 0);
    }
    CHECK(create_error(spec, root) == "devices[0]: make /dev/null: File exists");
}

TEST_CASE("a copy for a tmpfs follows no link and opens no pipe") {
    if (!can_launch()) {
        return;
    }
    TestRoot root(0);
    root.make_dir("data");
    root.make_link("/proc/version", "data/link");
    root.make_fifo("data/pipe");
    std::string deep = "data";
    for (int i = 0; i < 30; ++i) {
        deep += "/d";
        root.make_dir(deep);
    }
    ContainerSpec spec = container_spec(root, {"write", "/" + deep + "/x", "1"});
    auto data = file_system("tmpfs", "/data");
    data.copy_up = true;
    data.options.emplace_back("size", "64k");
    spec.mounts.push_back(data);
    CHECK(inspect_container(spec, root).at("errno") == 0);
    SUBCASE("no deeper than there is sense in") {
        for (int i = 0; i < 60; ++i) {
            deep += "/d";
            root.make_dir(deep);
        }
        CHECK(create_error(spec, root) ==
              "mounts[4]: mount tmpfs on /data: copy what is there: Too many levels of symbolic "
              "links");
    }
    SUBCASE("no more than it holds") {
        root.make_file("data/big", std::string(100'000, 'x'));
        CHECK(create_error(spec, root) ==
              "mounts[4]: mount tmpfs on /data: copy what is there: No space left on device");
    }
}

TEST_CASE("a working directory outside of the root is refused") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    // As a careless host would leave it open.
    const base::Fd leak(::open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const std::string number = std::to_string(leak.get());
    ContainerSpec spec = container_spec(root);
    spec.process.cwd = "/proc/self/fd/" + number;
    const std::string error = start_error(spec, root);
    CHECK(error == "cwd: change to " + spec.process.cwd + ": No such file or directory");
}
