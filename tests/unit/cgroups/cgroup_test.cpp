#include "cgroups/cgroup.hpp"

#include <algorithm>

#include <sys/stat.h>

#include "support.hpp"

using namespace warren;
using namespace warren::cgroups;
using namespace warren::cgroups::test;

namespace {

struct stat stat_of(const std::string& path) {
    struct stat info = {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    return info;
}

}  // namespace

TEST_CASE("names that are no single component are refused") {
    const TempDir dir;
    const base::Fd fd = base::open_dir(AT_FDCWD, dir.path()).value();
    for (const std::string& bad : {std::string(),
                                   std::string("."),
                                   std::string(".."),
                                   std::string("a/b"),
                                   std::string("a\nb"),
                                   std::string("a\0b", 3)}) {
        CAPTURE(bad);
        const auto cgroup = Cgroup::create(fd.get(), bad);
        REQUIRE(!cgroup);
        CHECK(cgroup.error().kind() == base::ErrorKind::Usage);
    }
    CHECK(std::filesystem::is_empty(dir.path()));
}

TEST_CASE("open finds a cgroup below the mount point and nothing above it") {
    const TempDir dir;
    dir.make_dir("tree/a/b");
    dir.make_dir("outside");
    dir.link("tree/link", "../outside");
    Host host;
    host.mode = HostMode::Unified;
    host.mount_point = dir.path() / "tree";
    CHECK(Cgroup::open(host, "/a/b"));
    CHECK(Cgroup::open(host, "a"));
    CHECK(Cgroup::open(host, "/a/c").error().kind() == base::ErrorKind::NotFound);
    CHECK(Cgroup::open(host, "").error().kind() == base::ErrorKind::NotFound);
    CHECK(Cgroup::open(host, "/").error().kind() == base::ErrorKind::NotFound);
    CHECK(!Cgroup::open(host, "/../outside"));
    CHECK(!Cgroup::open(host, "/link"));
    host.mode = HostMode::Absent;
    CHECK(Cgroup::open(host, "/a").error().kind() == base::ErrorKind::NotFound);
}

TEST_CASE("create makes a cgroup that bounds what is made below it") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const mode_t old_umask = ::umask(077);
    const auto cgroup = tree.create("g");
    ::umask(old_umask);
    CHECK((stat_of(tree.full_path("g")).st_mode & 0777U) == 0755);
    CHECK(knob(cgroup, "cgroup.max.descendants") == "1024\n");
    CHECK(knob(cgroup, "cgroup.max.depth") == "32\n");
    CHECK(!cgroup.populated().value());
    CHECK(cgroup.processes().value().empty());
}

TEST_CASE("create takes over an empty cgroup, with nothing of its last use, and no used one") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto old = tree.create("g");
    REQUIRE(old.delegate(1000, 1000));
    REQUIRE(old.exec_dir(1000, 1000));
    const auto again = tree.create("g");
    CHECK(stat_of(tree.full_path("g")).st_uid == 0);
    CHECK(!std::filesystem::exists(tree.full_path("g/warren.exec")));
    const Process process(again.dir());
    const auto busy = Cgroup::create(tree.dir(), "g");
    REQUIRE(!busy);
    CHECK(busy.error().kind() == base::ErrorKind::Busy);
    CHECK(again.processes().value() == std::vector<pid_t>{process.pid()});
}

TEST_CASE("delegate gives the tree away and keeps the limits") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    REQUIRE(cgroup.delegate(100000, 100001));
    for (const char* file : {"", "/cgroup.procs", "/cgroup.threads", "/cgroup.subtree_control"}) {
        const auto info = stat_of(tree.full_path("g") + file);
        CHECK(info.st_uid == 100000);
        CHECK(info.st_gid == 100001);
    }
    for (const auto& entry : std::filesystem::directory_iterator(tree.full_path("g"))) {
        const auto name = entry.path().filename().string();
        if (name != "cgroup.procs" && name != "cgroup.threads" &&
            name != "cgroup.subtree_control") {
            CAPTURE(name);
            CHECK(stat_of(entry.path()).st_uid == 0);
        }
    }
}

TEST_CASE("exec_dir is made when absent and found when there") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    {
        const auto exec = cgroup.exec_dir(100000, 100001);
        REQUIRE(exec);
        CHECK(stat_of(tree.full_path("g/warren.exec")).st_uid == 100000);
        CHECK(stat_of(tree.full_path("g/warren.exec/cgroup.procs")).st_gid == 100001);
        const Process process(exec.value().get());
        CHECK(cgroup.exec_dir(100000, 100001));
        CHECK(cgroup.populated().value());
        CHECK(cgroup.processes().value() == std::vector<pid_t>{process.pid()});
    }
    std::filesystem::remove(tree.full_path("g/warren.exec"));
    CHECK(cgroup.exec_dir(100000, 100001));
}

TEST_CASE("a guest that has made all the cgroups it may can still be joined") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    for (int i = 0; i < 1024; ++i) {
        REQUIRE(::mkdirat(cgroup.dir(), std::to_string(i).c_str(), 0755) == 0);
    }
    CHECK(::mkdirat(cgroup.dir(), "more", 0755) == -1);
    const auto exec = cgroup.exec_dir(0, 0);
    REQUIRE(exec);
    const Process process(exec.value().get());
    CHECK(cgroup.processes().value() == std::vector<pid_t>{process.pid()});
    CHECK(knob(cgroup, "cgroup.max.descendants") == "1024\n");
    CHECK(::mkdirat(cgroup.dir(), "more", 0755) == -1);
}

TEST_CASE("processes are those of the whole subtree") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    REQUIRE(::mkdirat(cgroup.dir(), "inner", 0755) == 0);
    REQUIRE(::mkdirat(cgroup.dir(), "empty", 0755) == 0);
    const Process outer(cgroup.dir());
    const Process inner(base::open_dir(cgroup.dir(), "inner").value().get());
    auto pids = cgroup.processes().value();
    std::sort(pids.begin(), pids.end());
    CHECK(pids ==
          std::vector{std::min(outer.pid(), inner.pid()), std::max(outer.pid(), inner.pid())});
}

TEST_CASE("wait_empty sees the last process go") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    CHECK(cgroup.wait_empty(std::chrono::seconds(0)).value());
    Process process(cgroup.dir());
    CHECK(!cgroup.wait_empty(std::chrono::milliseconds(20)).value());
    REQUIRE(::kill(process.pid(), SIGKILL) == 0);
    CHECK(cgroup.wait_empty(std::chrono::seconds(30)).value());
    REQUIRE(remove_cgroup(*host, tree.path("g"), std::chrono::seconds(10)));
    CHECK(cgroup.wait_empty(std::chrono::seconds(0)).value());
}

TEST_CASE("remove_cgroup kills, waits and removes all that is below") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    REQUIRE(::mkdirat(cgroup.dir(), "a", 0755) == 0);
    REQUIRE(::mkdirat(cgroup.dir(), "a/b", 0755) == 0);
    Process outer(cgroup.dir());
    Process inner(base::open_dir(cgroup.dir(), "a/b").value().get());
    REQUIRE(cgroup.freeze(std::chrono::seconds(10)));
    REQUIRE(remove_cgroup(*host, tree.path("g"), std::chrono::seconds(30)));
    CHECK(!std::filesystem::exists(tree.full_path("g")));
    CHECK(outer.wait() == 256 + SIGKILL);
    CHECK(inner.wait() == 256 + SIGKILL);
    CHECK(remove_cgroup(*host, tree.path("g"), std::chrono::seconds(0)));
    CHECK(remove_cgroup(*host, tree.path("never"), std::chrono::seconds(0)));
}
