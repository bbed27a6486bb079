#include <sys/stat.h>

#include "support.hpp"

using namespace warren;
using namespace warren::cgroups;
using namespace warren::cgroups::test;

TEST_CASE("parent_path") {
    Host host;
    host.mode = HostMode::Unified;
    CHECK(parent_path(host, {}) == "/warren");
    CHECK(parent_path(host, {"warren-1a2b", ""}) == "/warren-1a2b");
    CHECK(parent_path(host, {"warren", "pool/guests/"}) == "/pool/guests");
    host.systemd = true;
    CHECK(parent_path(host, {"warren-1a2b", ""}) == "/warren.slice/warren-1a2b.scope");
    CHECK(parent_path(host, {"warren", "/pool"}) == "/pool");
}

TEST_CASE("a host without a v2 tree has no parent, and says what to do") {
    const auto parent = Parent::ensure(Host(), {});
    REQUIRE(!parent);
    CHECK(parent.error().kind() == base::ErrorKind::Unsupported);
    CHECK(parent.error().describe().find("systemd.unified_cgroup_hierarchy=1") !=
          std::string::npos);
    CHECK(remove_parent(Host(), {}));
}

TEST_CASE("a parent's path stays below the mount point") {
    const TempDir dir;
    Host host;
    host.mode = HostMode::Unified;
    host.mount_point = dir.path();
    for (const char* bad : {"/../x", "/a/../b", "/./a", "/a//b", "/"}) {
        CAPTURE(bad);
        const auto parent = Parent::ensure(host, {"warren", bad});
        REQUIRE(!parent);
        CHECK(parent.error().kind() == base::ErrorKind::Usage);
    }
    CHECK(std::filesystem::is_empty(dir.path()));
}

TEST_CASE("ensure makes the whole path, once, and remove_parent takes only what we made") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    REQUIRE(::mkdirat(tree.dir(), "theirs", 0755) == 0);
    const ParentConfig config{"warren", tree.path("theirs/mid/ours")};
    {
        const mode_t old_umask = ::umask(077);
        auto parent = Parent::ensure(*host, config);
        ::umask(old_umask);
        REQUIRE(parent);
        CHECK(parent.value().path() == config.configured_path);
        struct stat info = {};
        REQUIRE(::fstat(parent.value().dir(), &info) == 0);
        CHECK((info.st_mode & 0777U) == 0755);
        CHECK(Parent::ensure(*host, config));
        // Held: about to get a guest.
        CHECK(remove_parent(*host, config));
        CHECK(std::filesystem::exists(tree.full_path("theirs/mid/ours")));
        // Moving it keeps it held.
        Parent moved = std::move(parent).value();
        CHECK(remove_parent(*host, config));
        CHECK(std::filesystem::exists(tree.full_path("theirs/mid/ours")));
        REQUIRE(Cgroup::create(moved.dir(), "g"));
    }
    CHECK(remove_parent(*host, config));
    CHECK(std::filesystem::exists(tree.full_path("theirs/mid/ours/g")));
    REQUIRE(remove_cgroup(*host, config.configured_path + "/g", std::chrono::seconds(10)));
    CHECK(remove_parent(*host, config));
    CHECK(!std::filesystem::exists(tree.full_path("theirs/mid/ours")));
    CHECK(remove_parent(*host, config));
    CHECK(remove_parent(*host, {"warren", tree.path("theirs/mid")}));
    CHECK(remove_parent(*host, {"warren", tree.path("theirs")}));
    CHECK(!std::filesystem::exists(tree.full_path("theirs/mid")));
    CHECK(std::filesystem::exists(tree.full_path("theirs")));
}

TEST_CASE("callers that make and remove a parent at once all get one") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const ParentConfig config{"warren", tree.path("shared")};
    constexpr int kCallers = 8;
    constexpr int kRounds = 50;
    std::vector<pid_t> callers;
    for (int i = 0; i < kCallers; ++i) {
        const pid_t pid = ::fork();
        REQUIRE(pid >= 0);
        if (pid == 0) {
            const auto name = "g" + std::to_string(i);
            for (int round = 0; round < kRounds; ++round) {
                auto parent = Parent::ensure(*host, config);
                if (!parent || !Cgroup::create(parent.value().dir(), name)) {
                    ::_exit(1);
                }
                if (!remove_cgroup(
                        *host, config.configured_path + "/" + name, std::chrono::seconds(10))) {
                    ::_exit(2);
                }
                parent = base::fail("let go");
                if (!remove_parent(*host, config)) {
                    ::_exit(3);
                }
            }
            ::_exit(0);
        }
        callers.push_back(pid);
    }
    for (const pid_t pid : callers) {
        CHECK(wait_for(pid) == 0);
    }
    CHECK(!std::filesystem::exists(tree.full_path("shared")));
}

TEST_CASE("under systemd the parent is a scope that lives while it is held or has guests") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    if (!host->systemd) {
        MESSAGE("skipped: systemd is not running here");
        return;
    }
    const ParentConfig config{"warren-unit-" + std::to_string(::getpid()), ""};
    const auto full = host->mount_point + parent_path(*host, config);
    {
        auto parent = Parent::ensure(*host, config);
        if (!parent) {
            FAIL(parent.error().describe());
        }
        CHECK(std::filesystem::exists(full + "/_holder"));
        for (const Controller controller : host->controllers) {
            CAPTURE(std::string(name(controller)));
            const auto enabled = base::read_file_at(parent.value().dir(), "cgroup.subtree_control");
            CHECK(enabled.value().find(name(controller)) != std::string::npos);
        }
        const auto guest = Cgroup::create(parent.value().dir(), "g");
        REQUIRE(guest);
        const Process process(guest.value().dir());
        // A second caller joins the scope that is there.
        CHECK(Parent::ensure(*host, config));
        parent = base::fail("let go");
        CHECK(guest.value().populated().value());
        CHECK(Parent::ensure(*host, config));
        CHECK(guest.value().populated().value());
    }
    CHECK(remove_cgroup(*host, parent_path(*host, config) + "/g", std::chrono::seconds(10)));
    // systemd removes the empty scope when it hears of it; until then a new one can be had all the same.
    for (int i = 0; i < 5; ++i) {
        const auto parent = Parent::ensure(*host, config);
        if (!parent) {
            FAIL(parent.error().describe());
        }
        CHECK(Cgroup::create(parent.value().dir(), "g"));
    }
}
