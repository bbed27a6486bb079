#include "cgroups/subtree.hpp"

#include "support.hpp"

using namespace warren;
using namespace warren::cgroups;
using warren::cgroups::test::TempDir;

TEST_CASE("controllers_ready compares what is on with what is wanted") {
    const TempDir dir;
    const auto fd = base::open_dir(AT_FDCWD, dir.path()).value().release();
    const base::Fd owner(fd);
    CHECK(!controllers_ready(fd, {}));
    dir.write("cgroup.subtree_control", "cpu memory pids\n");
    CHECK(controllers_ready(fd, {}).value());
    CHECK(controllers_ready(fd, {Controller::Memory, Controller::Cpu}).value());
    CHECK(!controllers_ready(fd, {Controller::Io}).value());
    CHECK(!controllers_ready(fd, {Controller::Cpuset}).value());
    dir.write("cgroup.subtree_control", "\n");
    CHECK(!controllers_ready(fd, {Controller::Memory}).value());
}

TEST_CASE("enable_controllers writes only what is missing") {
    const TempDir dir;
    const base::Fd fd = base::open_dir(AT_FDCWD, dir.path()).value();
    dir.write("cgroup.controllers", "cpu memory\n");
    dir.write("cgroup.subtree_control", "cpu memory\n");
    REQUIRE(enable_controllers(fd.get()));
    CHECK(dir.read("cgroup.subtree_control") == "cpu memory\n");
    dir.write("cgroup.subtree_control", "memory\n");
    REQUIRE(enable_controllers(fd.get()));
    CHECK(dir.read("cgroup.subtree_control").starts_with("+cpu"));
}
