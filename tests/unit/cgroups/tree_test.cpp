#include "cgroups/tree.hpp"

#include <algorithm>

#include "support.hpp"

using namespace warren;
using namespace warren::cgroups;
using namespace warren::cgroups::test;

TEST_CASE("child_cgroups lists directories only") {
    const TempDir dir;
    dir.make_dir("b");
    dir.make_dir("a/x");
    dir.write("cgroup.procs", "");
    dir.link("link", "a");
    const base::Fd fd = base::open_dir(AT_FDCWD, dir.path()).value();
    auto names = child_cgroups(fd.get()).value();
    std::sort(names.begin(), names.end());
    CHECK(names == std::vector<std::string>{"a", "b"});
}

TEST_CASE("child_cgroups of a removed directory are none") {
    const TempDir dir;
    dir.make_dir("a");
    const base::Fd fd = base::open_dir(AT_FDCWD, dir.path() / "a").value();
    std::filesystem::remove(dir.path() / "a");
    CHECK(child_cgroups(fd.get()).value().empty());
}

TEST_CASE("walk_cgroups visits each directory once") {
    const TempDir dir;
    for (const char* path : {"a/x", "a/y/deep", "b", "c/z"}) {
        dir.make_dir(path);
    }
    const base::Fd fd = base::open_dir(AT_FDCWD, dir.path()).value();
    std::vector<std::string> seen;
    const auto walked = walk_cgroups(fd.get(), [&](int here) -> base::Status {
        const auto full = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(here));
        seen.push_back(full.lexically_relative(dir.path()).string());
        return base::ok();
    });
    REQUIRE(walked);
    CHECK(seen.front() == ".");
    std::sort(seen.begin(), seen.end());
    CHECK(seen == std::vector<std::string>{".", "a", "a/x", "a/y", "a/y/deep", "b", "c", "c/z"});
}

TEST_CASE("walk_cgroups survives directories that vanish as it goes") {
    const TempDir dir;
    for (int i = 0; i < 20; ++i) {
        dir.make_dir(std::to_string(i) + "/below");
    }
    const base::Fd fd = base::open_dir(AT_FDCWD, dir.path()).value();
    int visits = 0;
    const auto walked = walk_cgroups(fd.get(), [&](int) -> base::Status {
        ++visits;
        // The second visit is to a child; after it nothing is left of any.
        if (visits == 2) {
            for (int i = 0; i < 20; ++i) {
                std::filesystem::remove_all(dir.path() / std::to_string(i));
            }
        }
        return base::ok();
    });
    CHECK(walked);
    CHECK(visits == 2);
}

TEST_CASE("walk_cgroups stops at an error of the visit") {
    const TempDir dir;
    dir.make_dir("a/b");
    const base::Fd fd = base::open_dir(AT_FDCWD, dir.path()).value();
    int visits = 0;
    const auto walked = walk_cgroups(fd.get(), [&](int) -> base::Status {
        ++visits;
        return base::fail("enough");
    });
    CHECK(walked.error().describe() == "enough");
    CHECK(visits == 1);
}

TEST_CASE("remove_children removes a deep and a wide real tree") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    // Deeper than PATH_MAX in one go, wider than the descriptors of a process.
    constexpr int kDepth = 60;
    const std::string name(100, 'd');
    base::Fd here = base::open_dir(tree.dir(), ".").value();
    for (int i = 0; i < kDepth; ++i) {
        REQUIRE(::mkdirat(here.get(), name.c_str(), 0755) == 0);
        here = base::open_dir(here.get(), name).value();
    }
    here.reset();
    constexpr int kWidth = 1200;
    for (int i = 0; i < kWidth; ++i) {
        REQUIRE(::mkdirat(tree.dir(), ("w" + std::to_string(i)).c_str(), 0755) == 0);
    }
    CHECK(child_cgroups(tree.dir()).value().size() == kWidth + 1);
    CHECK(remove_children(tree.dir()).value());
    CHECK(child_cgroups(tree.dir()).value().empty());
}

TEST_CASE("remove_children leaves what is busy and says so") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("busy");
    const auto idle = tree.create("idle");
    REQUIRE(::mkdirat(cgroup.dir(), "inner", 0755) == 0);
    {
        const Process process(base::open_dir(cgroup.dir(), "inner").value().get());
        CHECK(!remove_children(tree.dir()).value());
        CHECK(child_cgroups(tree.dir()).value() == std::vector<std::string>{"busy"});
        CHECK(child_cgroups(cgroup.dir()).value() == std::vector<std::string>{"inner"});
    }
    CHECK(remove_children(tree.dir()).value());
}
