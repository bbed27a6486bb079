
#include "cgroups/placement.hpp"
#include "support.hpp"

using namespace warren;
using namespace warren::cgroups;
using namespace warren::cgroups::test;

namespace {

Placement place_at(const Host& host, const std::string& path) {
    PlacementRequest request;
    request.cgroups_path = path;
    request.id = "box";
    auto place = Placement::resolve(host, request);
    if (!place) {
        FAIL(place.error().describe());
    }
    return std::move(place).value();
}

ContainerCgroup create_at(const Host& host,
                          const std::string& path,
                          const Resources& resources = {}) {
    auto cgroup = place_at(host, path).create(host, resources);
    if (!cgroup) {
        FAIL(cgroup.error().describe());
    }
    REQUIRE(cgroup.value().has_value());
    return std::move(*std::move(cgroup).value());
}

void check_busy(const Host& host,
                const std::string& path,
                const std::string& words,
                const Resources& resources = {}) {
    const auto cgroup = place_at(host, path).create(host, resources);
    REQUIRE(!cgroup);
    CHECK(cgroup.error().kind() == base::ErrorKind::Busy);
    CAPTURE(cgroup.error().describe());
    CHECK(cgroup.error().describe().find(words) != std::string::npos);
}

bool exists(const std::string& path) {
    return std::filesystem::exists(path);
}

// One that this host can have.
std::optional<Resources> a_limit(const Host& host) {
    Resources resources;
    if (host.controllers.count(Controller::Pids) != 0) {
        resources.pids_limit = 5;
    } else if (host.controllers.count(Controller::Hugetlb) != 0) {
        resources.hugepage_limits = {{"2MB", 0}};
    } else {
        return std::nullopt;
    }
    return resources;
}

// Of the directory that `fd` is, below the mount point.
std::string path_of(const Host& host, const base::Fd& fd) {
    auto path = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd.get())).string();
    return path.substr(host.mount_point.size());
}

}  // namespace

TEST_CASE("a container's cgroup: made with the way to it, entered, frozen, emptied, removed") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto path = tree.path("mid/way/box");
    auto cgroup = create_at(*host, path);
    CHECK(cgroup.record() == CgroupRecord{path, "", false});
    Process born(cgroup.clone_dir());
    CHECK(cgroup.adopt(*host, born.pid()));
    const auto elsewhere = tree.create("elsewhere");
    const Process moved(elsewhere.dir());
    CHECK(cgroup.adopt(*host, moved.pid()));
    CHECK(cgroup.cgroup().processes().value().size() == 2);
    CHECK(cgroup.stats().value().pids == 2);
    CHECK(cgroup.cgroup().freeze(kPatience));
    const auto again = ContainerCgroup::open(*host, cgroup.record());
    REQUIRE(again);
    CHECK(again.value().cgroup().frozen().value());
    CHECK(remove_container_cgroup(*host, cgroup.record(), kPatience));
    CHECK(born.wait() == 256 + SIGKILL);
    CHECK(!exists(tree.full_path("mid")));
    CHECK(exists(tree.full_path("")));
    CHECK(remove_container_cgroup(*host, cgroup.record(), kPatience));
    CHECK(ContainerCgroup::open(*host, cgroup.record()).error().kind() ==
          base::ErrorKind::NotFound);
}

TEST_CASE("a record of nothing is nothing to remove or open") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    CHECK(remove_container_cgroup(*host, {}, kPatience));
    CHECK(ContainerCgroup::open(*host, {}).error().kind() == base::ErrorKind::NotFound);
}

TEST_CASE("who does not know whether it is another's removes only what nobody uses") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto used = tree.create("used");
    Process user(used.dir());
    const auto unused = create_at(*host, tree.path("mid/unused"));
    remove_unused_container_cgroup(*host, unused.record());
    CHECK(!exists(tree.full_path("mid")));
    remove_unused_container_cgroup(*host, {tree.path("used"), "", false});
    CHECK(exists(tree.full_path("used")));
    CHECK(used.processes().value() == std::vector<pid_t>{user.pid()});
    const auto scope = tree.create("x.scope");
    remove_unused_container_cgroup(*host, {tree.path("x.scope"), "x.scope", false});
    CHECK(exists(tree.full_path("x.scope")));
    remove_unused_container_cgroup(*host, {});
}

TEST_CASE("only directories that were made on the way are removed") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    REQUIRE(::mkdirat(tree.dir(), "theirs", 0755) == 0);
    const auto first = create_at(*host, tree.path("theirs/mid/one"));
    const auto second = create_at(*host, tree.path("theirs/mid/two"));
    CHECK(remove_container_cgroup(*host, first.record(), kPatience));
    CHECK(exists(tree.full_path("theirs/mid/two")));
    CHECK(remove_container_cgroup(*host, second.record(), kPatience));
    CHECK(!exists(tree.full_path("theirs/mid")));
    CHECK(exists(tree.full_path("theirs")));
}

TEST_CASE("a cgroup that is in use is not taken, one that was left over is") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto old = tree.create("box");
    {
        const Process process(old.dir());
        check_busy(*host, tree.path("box"), "box: it holds processes already (1)");
    }
    REQUIRE(old.wait_empty(kPatience).value());
    REQUIRE(base::write_knob_at(old.dir(), "cgroup.freeze", "1"));
    check_busy(*host, tree.path("box"), "box: it is frozen");
    REQUIRE(base::write_knob_at(old.dir(), "cgroup.freeze", "0"));
    REQUIRE(::mkdirat(old.dir(), "left", 0755) == 0);
    REQUIRE(::mkdirat(old.dir(), "left/over", 0755) == 0);
    const auto cgroup = create_at(*host, tree.path("box"));
    CHECK(!exists(tree.full_path("box/left")));
    const Process process(cgroup.clone_dir());
    CHECK(remove_container_cgroup(*host, cgroup.record(), kPatience));
}

TEST_CASE("nothing is left of a cgroup that cannot be had") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    Resources resources;
    resources.unified["cgroup.max.depth"] = "deep";
    const auto path = tree.path("mid/box");
    const auto cgroup = place_at(*host, path).create(*host, resources);
    REQUIRE(!cgroup);
    CHECK(cgroup.error().describe().find("cgroup.max.depth") != std::string::npos);
    CHECK(!exists(tree.full_path("mid")));
}

TEST_CASE("a limit whose controller is not there is an error in words, none is no limit") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    Resources none;
    none.pids_limit = -1;
    none.memory.limit = -1;
    none.cpu.quota = -1;
    const auto cgroup = create_at(*host, tree.path("box"), none);
    CHECK(cgroup.apply(*host, none));
    Resources resources;
    resources.unified["nosuch.max"] = "5";
    const auto refused = cgroup.apply(*host, resources);
    REQUIRE(!refused);
    CHECK(refused.error().kind() == base::ErrorKind::Unsupported);
    CHECK(refused.error().what().starts_with("nosuch.max needs the nosuch controller, "));
    const auto created = place_at(*host, tree.path("other")).create(*host, resources);
    REQUIRE(!created);
    CHECK(created.error().kind() == base::ErrorKind::Unsupported);
    CHECK(!exists(tree.full_path("other")));
    if (const auto mount = v1_mount(*host, name(Controller::Pids))) {
        Resources pids;
        pids.pids_limit = 5;
        const auto text = cgroup.apply(*host, pids).error().describe();
        CHECK(text.find("as cgroup v1 at " + *mount) != std::string::npos);
    }
}

TEST_CASE("below a threaded cgroup no container can live") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto top = tree.create("top");
    REQUIRE(::mkdirat(top.dir(), "t", 0755) == 0);
    REQUIRE(base::write_knob_at(top.dir(), "t/cgroup.type", "threaded"));
    check_busy(*host, tree.path("top/t/box"), "top/t/box: it is domain invalid");
    CHECK(!exists(tree.full_path("top/t/box")));
    const auto limit = a_limit(*host);
    if (limit) {
        check_busy(*host,
                   tree.path("top/t/box"),
                   "enable controllers for its children: it is threaded",
                   *limit);
    }
}

TEST_CASE("beside processes a cgroup can be, but not have limits") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto parent = tree.create("p");
    const Process process(parent.dir());
    const auto cgroup = create_at(*host, tree.path("p/box"));
    CHECK(remove_container_cgroup(*host, cgroup.record(), kPatience));
    const auto limit = a_limit(*host);
    if (limit) {
        check_busy(*host, tree.path("p/box"), "/p: enable controllers for its children", *limit);
        CHECK(!exists(tree.full_path("p/box")));
    }
}

TEST_CASE("processes join the cgroup, a part of it, or the place of the first process") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto path = tree.path("box");
    const auto cgroup = create_at(*host, path);
    const Process init(cgroup.clone_dir());
    const auto dir_of = [&](const std::string& sub) {
        const auto dir = cgroup.exec_dir(*host, sub, init.pid());
        return dir ? path_of(*host, dir.value()) : dir.error().describe();
    };
    CHECK(dir_of("") == path);
    CHECK(dir_of("/") == path);
    REQUIRE(::mkdirat(cgroup.clone_dir(), "sub", 0755) == 0);
    CHECK(dir_of("sub") == path + "/sub");
    CHECK(dir_of("/sub/") == path + "/sub");
    CHECK(cgroup.exec_dir(*host, "absent", init.pid()).error().kind() == base::ErrorKind::NotFound);
    CHECK(cgroup.exec_dir(*host, "sub/../..", init.pid()).error().kind() == base::ErrorKind::Usage);
    if (!host->controllers.empty()) {
        // As an init that manages cgroups does.
        REQUIRE(base::write_knob_at(
            cgroup.clone_dir(), "sub/cgroup.procs", std::to_string(init.pid())));
        REQUIRE(base::write_knob_at(cgroup.clone_dir(),
                                    "cgroup.subtree_control",
                                    "+" + std::string(name(*host->controllers.begin()))));
        CHECK(dir_of("") == path + "/sub");
        // Nor is a left-over of such an init in the way of the next container.
        CHECK(cgroup.cgroup().kill());
        CHECK(cgroup.cgroup().wait_empty(kPatience).value());
        const auto next = create_at(*host, path);
        const Process process(next.clone_dir());
        CHECK(remove_container_cgroup(*host, next.record(), kPatience));
    }
    CHECK(remove_container_cgroup(*host, cgroup.record(), kPatience));
}

TEST_CASE("devices of the list and of every container open, no others do") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto opens = [&](const ContainerCgroup& cgroup, const char* device) {
        return Process(cgroup.clone_dir(),
                       [device] { return ::open(device, O_RDONLY | O_CLOEXEC) >= 0 ? 0 : errno; })
            .wait();
    };
    const auto closed = create_at(*host, tree.path("closed"));
    CHECK(opens(closed, "/dev/null") == 0);
    CHECK(opens(closed, "/dev/kmsg") == EPERM);
    Resources resources;
    resources.devices = {{false}, {true, 'c', 1, 11, true, false, false}};
    const auto listed = create_at(*host, tree.path("listed"), resources);
    CHECK(opens(listed, "/dev/urandom") == 0);
    CHECK(opens(listed, "/dev/kmsg") == 0);
    CHECK(closed.apply(*host, resources));
    CHECK(opens(closed, "/dev/kmsg") == 0);
    // A change without devices leaves them as they are.
    CHECK(closed.apply(*host, {}));
    CHECK(opens(closed, "/dev/kmsg") == 0);
}

TEST_CASE("containers that come and go at one place all get their cgroup") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    constexpr int kCallers = 6;
    constexpr int kRounds = 40;
    std::vector<pid_t> callers;
    for (int i = 0; i < kCallers; ++i) {
        const pid_t pid = ::fork();
        REQUIRE(pid >= 0);
        if (pid == 0) {
            const auto place = place_at(*host, tree.path("shared/deep/box" + std::to_string(i)));
            for (int round = 0; round < kRounds; ++round) {
                const auto cgroup = place.create(*host, {});
                if (!cgroup || !cgroup.value()) {
                    ::_exit(1);
                }
                if (!remove_container_cgroup(*host, place.record(), kPatience)) {
                    ::_exit(2);
                }
            }
            ::_exit(0);
        }
        callers.push_back(pid);
    }
    for (const pid_t pid : callers) {
        CHECK(wait_for(pid) == 0);
    }
    CHECK(!exists(tree.full_path("shared")));
}

TEST_CASE("limits are written, and change live") {
    const auto host = real_host_with(Controller::Memory);
    if (!host || host->controllers.count(Controller::Pids) == 0) {
        return;
    }
    const RealTree tree(*host);
    Resources resources;
    resources.pids_limit = 50;
    resources.memory.limit = 64 << 20;
    resources.memory.swap = 64 << 20;
    resources.memory.reservation = 1 << 20;
    resources.unified["memory.high"] = "33554432";
    const auto cgroup = create_at(*host, tree.path("mid/box"), resources);
    const auto read = [&](const char* file) {
        const auto text = base::read_file_at(cgroup.clone_dir(), file);
        return text ? text.value() : text.error().describe();
    };
    CHECK(read("pids.max") == "50\n");
    CHECK(read("memory.max") == "67108864\n");
    CHECK(read("memory.low") == "1048576\n");
    CHECK(read("memory.high") == "33554432\n");
    CHECK(read("cgroup.max.descendants") == "1024\n");
    Resources more;
    more.memory.limit = 128 << 20;
    CHECK(cgroup.apply(*host, more));
    CHECK(read("memory.max") == "134217728\n");
    CHECK(read("pids.max") == "50\n");
    Resources off;
    off.memory.limit = -1;
    off.pids_limit = -1;
    CHECK(cgroup.apply(*host, off));
    CHECK(read("memory.max") == "max\n");
    CHECK(read("pids.max") == "max\n");
    const Process process(cgroup.clone_dir(), [] {
        const std::string memory(8U << 20U, 'x');
        ::pause();
        return 0;
    });
    for (int i = 0; i < 500 && cgroup.stats().value().memory_bytes.value_or(0) < (8U << 20U); ++i) {
        ::usleep(10000);
    }
    Resources checked;
    checked.memory.limit = 1 << 20;
    checked.memory.check_before_update = true;
    const auto refused = cgroup.apply(*host, checked);
    REQUIRE(!refused);
    CHECK(refused.error().place() == "/memory/limit");
    CHECK(read("memory.max") == "max\n");
    CHECK(remove_container_cgroup(*host, cgroup.record(), kPatience));
    CHECK(!exists(tree.full_path("mid")));
}

TEST_CASE("a quota keeps its period, a period its quota") {
    const auto host = real_host_with(Controller::Cpu);
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    Resources resources;
    resources.cpu.quota = 20000;
    resources.cpu.period = 50000;
    resources.cpu.shares = 1024;
    const auto cgroup = create_at(*host, tree.path("box"), resources);
    const auto cpu_max = [&] { return base::read_file_at(cgroup.clone_dir(), "cpu.max").value(); };
    if (!exists(tree.full_path("box/cpu.max"))) {
        MESSAGE("skipped: this kernel has no cpu.max");
        return;
    }
    CHECK(cpu_max() == "20000 50000\n");
    CHECK(base::read_file_at(cgroup.clone_dir(), "cpu.weight").value() == "39\n");
    Resources quota;
    quota.cpu.quota = 30000;
    CHECK(cgroup.apply(*host, quota));
    CHECK(cpu_max() == "30000 50000\n");
    Resources period;
    period.cpu.period = 100000;
    CHECK(cgroup.apply(*host, period));
    CHECK(cpu_max() == "30000 100000\n");
    Resources burst;
    burst.cpu.quota = 40000;
    burst.cpu.burst = 35000;
    CHECK(cgroup.apply(*host, burst));
    burst.cpu.quota = 10000;
    burst.cpu.burst = 5000;
    CHECK(cgroup.apply(*host, burst));
    CHECK(base::read_file_at(cgroup.clone_dir(), "cpu.max.burst").value() == "5000\n");
    quota.cpu.quota = -1;
    CHECK(cgroup.apply(*host, quota));
    CHECK(cpu_max() == "max 100000\n");
}
