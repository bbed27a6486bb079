#include "cgroups/subtree.hpp"

#include "support.hpp"

using namespace warren;
using namespace warren::cgroups;
using namespace warren::cgroups::test;

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

TEST_CASE("enable_controllers touches nothing beside processes, but in the root") {
    const TempDir dir;
    const base::Fd fd = base::open_dir(AT_FDCWD, dir.path()).value();
    dir.write("cgroup.controllers", "cpu\n");
    dir.write("cgroup.subtree_control", "\n");
    dir.write("cgroup.procs", "1\n");
    dir.write("cgroup.type", "domain\n");
    const auto refused = enable_controllers(fd.get());
    REQUIRE(!refused);
    CHECK(refused.error().kind() == base::ErrorKind::Busy);
    CHECK(dir.read("cgroup.subtree_control") == "\n");
    std::filesystem::remove(dir.path() / "cgroup.type");
    CHECK(enable_controllers(fd.get()));
    CHECK(dir.read("cgroup.subtree_control").starts_with("+cpu"));
}

TEST_CASE("enable_controllers says what is in the way") {
    const auto host = real_host_with(Controller::Pids);
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    REQUIRE(enable_controllers(cgroup.dir()));
    CHECK(controllers_ready(cgroup.dir(), host->controllers).value());
    const auto other = tree.create("other");
    const Process process(other.dir());
    const auto enabled = enable_controllers(other.dir());
    REQUIRE(!enabled);
    CHECK(enabled.error().kind() == base::ErrorKind::Busy);
    CHECK(enabled.error().describe().find("holds processes itself") != std::string::npos);
}
