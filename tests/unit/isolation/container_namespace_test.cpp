// Containers in namespaces of their own, of others, and of ordinary users.
#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "container_fixture.hpp"

using namespace warren;
using namespace warren::isolation;
using namespace warren::isolation::test;

namespace {

base::Fd namespace_of(const base::PidRef& process, const char* name) {
    auto fd =
        base::open_at(AT_FDCWD, "/proc/" + std::to_string(process.pid()) + "/ns/" + name, O_RDONLY);
    REQUIRE(fd);
    return std::move(fd).value();
}

// In a process of its own: makes a container as `user`, and joins it. 0: as it should be.
int contain_as_user(const TestRoot& root, uid_t user) {
    // As after a login: exec makes a process dumpable that a change of ids made not.
    const bool ready = ::setgroups(0, nullptr) == 0 && ::setresgid(user, user, user) == 0 &&
                       ::setresuid(user, user, user) == 0 && ::prctl(PR_SET_DUMPABLE, 1) == 0;
    ContainerSpec spec = mapped_spec(root, {"hold"});
    spec.rootless = true;
    spec.setgroups_denied = true;
    spec.id_map = IdMap::contiguous(user, 1);
    spec.root.source = MountSource::HostPath;
    auto container = TestContainer::create(spec, root);
    if (!ready || !container || !container.value().start()) {
        return 1;
    }
    const auto report = container.value().process().report();
    const bool as_root = report.at("ids").at("uid") == base::Json({0, 0, 0}) &&
                         report.at("pid") == 1 && mount_at(report, "/proc") &&
                         mount_at(report, "/dev/null");
    ContainerJoin join;
    join.namespaces = spec.namespaces.fresh;
    join.setgroups_denied = true;
    join.process = spec.process;
    join.process.argv = {"inspect", "exit", "9"};
    const auto recipe = plan_container_join(join, {});
    const auto joined =
        join_container(join, recipe.value(), container.value().process().process(), -1, {}, {}, {});
    const bool entered = joined && base::reap(joined.value().process).value().shell_code() == 9;
    return as_root && entered ? 0 : 2;
}

}  // namespace

TEST_CASE("a container in a user namespace of its own") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    ContainerSpec spec = mapped_spec(root);
    auto report = inspect_container(spec, root);
    CHECK(report.at("ids").at("uid") == base::Json({0, 0, 0}));
    CHECK(report.at("namespaces").at("user") != own_namespace("user"));
    CHECK(mount_at(report, "/dev/null"));

    SUBCASE("its root may be another id than 0") {
        spec.id_map.uids = {{1000, kIdBase, 10}};
        spec.id_map.gids = {{2000, kIdBase, 10}};
        spec.process.uid = 1000;
        spec.process.gid = 2000;
        spec.process.capabilities = {};
        report = inspect_container(spec, root);
        CHECK(report.at("ids").at("uid") == base::Json({1000, 1000, 1000}));
        CHECK(report.at("ids").at("gid") == base::Json({2000, 2000, 2000}));
    }
    SUBCASE("setgroups may be denied") {
        spec.setgroups_denied = true;
        report = inspect_container(spec, root);
        CHECK(report.at("ids").at("uid") == base::Json({0, 0, 0}));
        spec.process.additional_gids = {5};
        CHECK(start_error(spec, root) ==
              "process: set supplementary groups: Operation not permitted");
    }
    SUBCASE("all of it may come from paths that the child clones") {
        spec.rootless = true;
        spec.root.source = MountSource::HostPath;
        report = inspect_container(spec, root);
        CHECK(report.at("ids").at("uid") == base::Json({0, 0, 0}));
        CHECK(report.at("dumpable") == 1);
    }
}

TEST_CASE("an ordinary user makes containers") {
    if (!can_launch()) {
        return;
    }
    constexpr uid_t kUser = 65534;
    const TestRoot root(kUser);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::_exit(contain_as_user(root, kUser));
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
}

TEST_CASE("namespaces that exist are joined") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root(0);
    ContainerSpec spec = container_spec(root, {"hold"});
    TestContainer first = created(spec, root);
    REQUIRE(first.start());
    const auto theirs = first.process().report().at("namespaces");

    ContainerSpec joining = container_spec(root);
    joining.hostname.clear();
    const auto join = [&](Namespace type, const char* name, std::vector<base::Fd>& open) {
        open.push_back(namespace_of(first.process().process(), name));
        joining.namespaces.fresh.remove(type);
        joining.namespaces.joined.push_back({type, open.back().get()});
    };
    std::vector<base::Fd> open;
    join(Namespace::Net, "net", open);
    join(Namespace::Ipc, "ipc", open);
    join(Namespace::Uts, "uts", open);
    std::vector<const char*> same{"net", "ipc", "uts"};
    std::vector<const char*> own{"mnt", "pid"};
    SUBCASE("by the child itself") {}
    SUBCASE("the cgroup and time namespaces too") {
        join(Namespace::Cgroup, "cgroup", open);
        same.push_back("cgroup");
        if (spec.namespaces.fresh.has(Namespace::Time)) {
            join(Namespace::Time, "time", open);
            same.push_back("time");
        }
    }
    SUBCASE("through a joiner for a pid namespace") {
        join(Namespace::Pid, "pid", open);
        same.push_back("pid");
        own.pop_back();
    }
    const auto report = inspect_container(joining, root);
    for (const char* name : same) {
        CHECK(report.at("namespaces").at(name) == theirs.at(name));
    }
    for (const char* name : own) {
        CHECK(report.at("namespaces").at(name) != theirs.at(name));
    }
    CHECK(report.at("hostname") == "box");
    CHECK(report.at("fds").size() == 3);
}

TEST_CASE("a user namespace that exists is joined, with a net namespace of the host's") {
    if (!can_launch()) {
        return;
    }
    const TestRoot root;
    TestContainer first = created(mapped_spec(root, {"hold"}), root);
    REQUIRE(first.start());
    const auto theirs = first.process().report().at("namespaces");
    const TestRoot host_root(0);
    TestContainer second = created(container_spec(host_root, {"hold"}), host_root);
    REQUIRE(second.start());
    const auto hosts = second.process().report().at("namespaces");

    ContainerSpec joining = mapped_spec(root);
    const auto user = namespace_of(first.process().process(), "user");
    const auto uts = namespace_of(first.process().process(), "uts");
    const auto net = namespace_of(second.process().process(), "net");
    joining.hostname.clear();
    for (const auto type : {Namespace::User, Namespace::Net, Namespace::Uts}) {
        joining.namespaces.fresh.remove(type);
    }
    // sysfs shows the net namespace, so it belongs to who rules that.
    joining.mounts.pop_back();
    joining.namespaces.joined = {
        {Namespace::Net, net.get()}, {Namespace::User, user.get()}, {Namespace::Uts, uts.get()}};
    const auto report = inspect_container(joining, root);
    CHECK(report.at("namespaces").at("user") == theirs.at("user"));
    CHECK(report.at("namespaces").at("uts") == theirs.at("uts"));
    CHECK(report.at("namespaces").at("net") == hosts.at("net"));
    CHECK(report.at("ids").at("uid") == base::Json({0, 0, 0}));
}

TEST_CASE("a user namespace of its own, with a net namespace of the host's") {
    if (!can_launch()) {
        return;
    }
    const TestRoot host_root(0);
    TestContainer first = created(container_spec(host_root, {"hold"}), host_root);
    REQUIRE(first.start());
    const auto theirs = first.process().report().at("namespaces");
    const auto net = namespace_of(first.process().process(), "net");
    const TestRoot root;
    ContainerSpec joining = mapped_spec(root);
    joining.mounts.pop_back();
    joining.namespaces.fresh.remove(Namespace::Net);
    joining.namespaces.joined = {{Namespace::Net, net.get()}};
    const auto report = inspect_container(joining, root);
    CHECK(report.at("namespaces").at("net") == theirs.at("net"));
    CHECK(report.at("ids").at("uid") == base::Json({0, 0, 0}));
}
