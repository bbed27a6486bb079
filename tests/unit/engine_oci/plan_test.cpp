#include "runtime/engine/oci/plan.hpp"

#include <algorithm>

#include <sys/mount.h>

#include <doctest/doctest.h>

#include "runtime/spec/oci/parse.hpp"

namespace warren::engine::oci {

namespace {

using isolation::ContainerDevice;
using isolation::MountSource;

spec::oci::Config parse(const std::string& members) {
    auto config = spec::oci::parse_config(R"({"ociVersion":"1.2.0","root":{"path":"rootfs"})" +
                                          members + "}");
    REQUIRE_MESSAGE(config, config.error().describe());
    return std::move(config).value();
}

Site rich_site() {
    Site site;
    site.id = "c1";
    site.bundle = "/srv/b";
    site.cgroup_mount = "/sys/fs/cgroup";
    site.capabilities = 0x1ffffffffffULL;
    return site;
}

Lookups lookups_for(const spec::oci::Config& config) {
    Lookups lookups;
    lookups.rootfs = "/srv/b/rootfs";
    lookups.home = "/home/u";
    for (const auto& mount : config.mounts) {
        lookups.mounts.push_back({is_bind(mount) ? mount.source : "", true, std::nullopt});
    }
    return lookups;
}

base::Result<ContainerPlan> try_plan(const std::string& members, const Site& site) {
    const auto config = parse(members);
    return plan_container(config, lookups_for(config), site);
}

ContainerPlan plan_of(const std::string& members, const Site& site = rich_site()) {
    auto plan = try_plan(members, site);
    REQUIRE_MESSAGE(plan, plan.error().describe());
    return std::move(plan).value();
}

std::string refusal(const std::string& members, const Site& site = rich_site()) {
    const auto plan = try_plan(members, site);
    REQUIRE_FALSE(plan);
    return plan.error().place();
}

const ContainerDevice* find_device(const ContainerPlan& plan, const std::string& path) {
    const auto& devices = plan.container.devices;
    const auto found = std::find_if(
        devices.begin(), devices.end(), [&](const auto& device) { return device.path == path; });
    return found == devices.end() ? nullptr : &*found;
}

const isolation::ContainerMount& mount_at(const ContainerPlan& plan, const std::string& target) {
    const auto& mounts = plan.container.mounts;
    const auto found = std::find_if(
        mounts.begin(), mounts.end(), [&](const auto& mount) { return mount.target == target; });
    REQUIRE(found != mounts.end());
    return *found;
}

constexpr const char* kUserNamespace =
    R"("namespaces":[{"type":"user"},{"type":"mount"},{"type":"cgroup"}],
       "uidMappings":[{"containerID":0,"hostID":100000,"size":65536}],
       "gidMappings":[{"containerID":0,"hostID":200000,"size":65536}])";

}  // namespace

TEST_CASE("the least config has a root, the default nodes and a place to wait") {
    const auto plan = plan_of("");
    CHECK(plan.container.root.source == MountSource::Slot);
    CHECK(plan.container.root.path == "/srv/b/rootfs");
    REQUIRE(plan.slots.size() == 2);
    CHECK(plan.slots[plan.container.root.slot].kind == SlotSource::Kind::Root);
    CHECK(plan.slots[plan.container.start_socket_slot].kind == SlotSource::Kind::StartSocket);
    CHECK(plan.container.devices.size() == 6);
    REQUIRE(find_device(plan, "/dev/null") != nullptr);
    CHECK(find_device(plan, "/dev/null")->source == ContainerDevice::Source::Make);
    CHECK(plan.container.process.argv.empty());
    CHECK_FALSE(plan.seccomp);
    REQUIRE(plan.placement);
    CHECK(plan.placement->id == "c1");
}

TEST_CASE("the network namespace is made late where no hook looks at it before") {
    const std::string fresh = R"(,"linux":{"namespaces":[{"type":"network"}]})";
    CHECK(plan_of(fresh).container.late_network);
    CHECK_FALSE(plan_of("").container.late_network);
    const std::string hook = R"(":[{"path":"/bin/true"}]})";
    CHECK_FALSE(plan_of(fresh + R"(,"hooks":{"prestart)" + hook).container.late_network);
    CHECK_FALSE(plan_of(fresh + R"(,"hooks":{"createRuntime)" + hook).container.late_network);
    CHECK(plan_of(fresh + R"(,"hooks":{"createContainer)" + hook).container.late_network);
}

TEST_CASE("a process is taken as it is written, with a home where none is given") {
    const auto plan = plan_of(R"(,"process":{"args":["a","b"],"cwd":"/w","env":["X=1"],
        "user":{"uid":3,"gid":4,"umask":18,"additionalGids":[5]},"noNewPrivileges":true,
        "oomScoreAdj":7,"capabilities":{"bounding":["CAP_CHOWN"],"effective":["CAP_CHOWN"],
        "permitted":["CAP_CHOWN"]},"rlimits":[{"type":"RLIMIT_NOFILE","soft":1,"hard":2}]})");
    const auto& process = plan.container.process;
    CHECK(process.argv == std::vector<std::string>{"a", "b"});
    CHECK(process.env == std::vector<std::string>{"X=1", "HOME=/home/u"});
    CHECK(process.cwd == "/w");
    CHECK(process.uid == 3);
    CHECK(process.gid == 4);
    CHECK(process.umask == mode_t{18});
    CHECK(process.additional_gids == std::vector<std::uint32_t>{5});
    CHECK(process.no_new_privs);
    CHECK(process.oom_score_adj == 7);
    CHECK(process.capabilities.effective == 1);
    REQUIRE(process.rlimits.size() == 1);
    CHECK(process.rlimits.front().hard == 2);
    CHECK(process.stdio == isolation::Stdio::Given);
    const auto own = plan_of(R"(,"process":{"args":["a"],"cwd":"/","env":["HOME=/x"]})");
    CHECK(own.container.process.env == std::vector<std::string>{"HOME=/x"});
}

TEST_CASE("capabilities that nobody knows or we do not have are left out with a warning") {
    auto site = rich_site();
    site.capabilities = 1;
    const auto plan = plan_of(R"(,"process":{"args":["a"],"cwd":"/","capabilities":{
        "bounding":["CAP_CHOWN","CAP_SYS_ADMIN","CAP_OF_TOMORROW"]}})",
                              site);
    CHECK(plan.container.process.capabilities.bounding == 1);
    CHECK(plan.warnings.size() == 2);
}

TEST_CASE("a terminal gets its size and /dev/console") {
    const auto plan = plan_of(R"(,"process":{"args":["a"],"cwd":"/","terminal":true,
        "consoleSize":{"height":30,"width":100}})");
    CHECK(plan.container.process.stdio == isolation::Stdio::Terminal);
    CHECK(plan.container.process.window == isolation::WindowSize{30, 100});
    CHECK(plan.container.process.console_device);
}

TEST_CASE("file systems keep their order, options and attributes") {
    const auto plan = plan_of(R"(,"mounts":[
        {"destination":"/proc","type":"proc","source":"proc"},
        {"destination":"/dev","type":"tmpfs","source":"tmpfs",
         "options":["nosuid","strictatime","mode=755","size=65536k"]},
        {"destination":"/sys/fs/cgroup","type":"cgroup","source":"cgroup",
         "options":["nosuid","ro","relatime","name=systemd"]}])");
    REQUIRE(plan.container.mounts.size() == 3);
    const auto& dev = plan.container.mounts[1];
    CHECK(dev.fs_type == "tmpfs");
    CHECK(dev.options == std::vector<std::pair<std::string, std::string>>{
                             {"source", "tmpfs"}, {"mode", "755"}, {"size", "65536k"}});
    CHECK((dev.attributes.set & MOUNT_ATTR_NOSUID) != 0);
    CHECK((dev.attributes.set & MOUNT_ATTR_STRICTATIME) != 0);
    const auto& cgroup = plan.container.mounts[2];
    CHECK(cgroup.fs_type == "cgroup2");
    CHECK(cgroup.options == std::vector<std::pair<std::string, std::string>>{{"source", "cgroup"}});
    CHECK((cgroup.attributes.set & MOUNT_ATTR_RDONLY) != 0);
}

TEST_CASE("a bind is opened by us, and its later words win over all below it") {
    const auto plan = plan_of(R"(,"mounts":[{"destination":"/d","type":"none","source":"/data",
        "options":["rbind","ro","rnosuid","rslave"]}])");
    const auto& mount = mount_at(plan, "/d");
    CHECK(mount.source == MountSource::Slot);
    CHECK(plan.slots[mount.slot].path == "/data");
    CHECK(plan.slots[mount.slot].recursive);
    CHECK(plan.slots[mount.slot].place == "/mounts/0");
    CHECK(mount.attributes.set == MOUNT_ATTR_RDONLY);
    CHECK(mount.below.set == MOUNT_ATTR_NOSUID);
    CHECK(mount.propagation ==
          std::vector<isolation::Propagation>{{isolation::Propagation::Kind::Slave, true}});
    const auto both = plan_of(R"(,"mounts":[{"destination":"/d","type":"bind","source":"/data",
        "options":["ro","rrw"]}])");
    CHECK(mount_at(both, "/d").attributes.set == 0);
    CHECK(mount_at(both, "/d").below.clear == MOUNT_ATTR_RDONLY);
}

TEST_CASE("without the host's root the child clones") {
    auto site = rich_site();
    site.clones_mounts = false;
    site.makes_nodes = false;
    const auto plan =
        plan_of(R"(,"mounts":[{"destination":"/d","type":"bind","source":"/data"}])", site);
    CHECK(plan.container.rootless);
    CHECK(plan.container.root.source == MountSource::HostPath);
    CHECK(mount_at(plan, "/d").source == MountSource::HostPath);
    CHECK(mount_at(plan, "/d").host_path == "/data");
    CHECK_FALSE(mount_at(plan, "/d").recursive);
    REQUIRE(find_device(plan, "/dev/zero") != nullptr);
    CHECK(find_device(plan, "/dev/zero")->source == ContainerDevice::Source::HostPath);
}

TEST_CASE(
    "in a user namespace nodes are bound, and what is the host's stands for what cannot be "
    "mounted") {
    const auto plan = plan_of(R"(,"mounts":[
        {"destination":"/sys","type":"sysfs","source":"sysfs"},
        {"destination":"/proc","type":"proc","source":"proc"},
        {"destination":"/sys/fs/cgroup","type":"cgroup","source":"cgroup"}],
        "linux":{)" + std::string(kUserNamespace) +
                              "}");
    const auto* null_device = find_device(plan, "/dev/null");
    REQUIRE(null_device != nullptr);
    REQUIRE(null_device->source == ContainerDevice::Source::Slot);
    CHECK(plan.slots[null_device->slot].kind == SlotSource::Kind::Device);
    CHECK(plan.slots[null_device->slot].major == 1);
    CHECK(plan.slots[mount_at(plan, "/sys").slot].path == "/sys");
    CHECK(plan.slots[mount_at(plan, "/proc").slot].path == "/proc");
    CHECK(mount_at(plan, "/sys/fs/cgroup").fs_type == "cgroup2");
    CHECK(plan.delegates_cgroup);
    CHECK(plan.container.id_map.gids.front().outside == 200000);
}

TEST_CASE("ids of mounts: the container's, their own, and relative ones") {
    const auto members = [](const std::string& options, const std::string& more) {
        return R"(,"mounts":[{"destination":"/d","type":"bind","source":"/data","options":[)" +
               options + "]" + more + R"(}],"linux":{)" + kUserNamespace + "}";
    };
    const auto slot = [&](const ContainerPlan& plan) {
        return plan.slots[mount_at(plan, "/d").slot];
    };
    CHECK(slot(plan_of(members(R"("bind")", ""))).ids == SlotSource::Ids::Same);
    CHECK(slot(plan_of(members(R"("bind","idmap")", ""))).ids == SlotSource::Ids::Container);
    const auto whole = slot(plan_of(members(R"("rbind","ridmap")", "")));
    CHECK(whole.ids_recursive);
    const auto own = slot(plan_of(members(R"("bind")",
                                          R"(,"uidMappings":[{"containerID":0,"hostID":7,"size":1}],
        "gidMappings":[{"containerID":0,"hostID":8,"size":1}])")));
    CHECK(own.ids == SlotSource::Ids::Own);
    CHECK(own.map.gids.front().outside == 8);
    const auto relative = slot(plan_of(members(R"("bind","idmap=uids=@0-5-10;gids=@0-5-10")", "")));
    CHECK(relative.map.uids == std::vector<isolation::IdRange>{{0, 100005, 10}});
    CHECK(relative.map.gids == std::vector<isolation::IdRange>{{0, 200005, 10}});
    CHECK(refusal(members(R"("bind","idmap=uids=@0-65530-10;gids=@0-5-10")", "")) ==
          "/mounts/0/options");
    CHECK(refusal(R"(,"mounts":[{"destination":"/d","type":"bind","source":"/s",
        "options":["bind","idmap"]}])") == "/mounts/0/options");
}

TEST_CASE("the config's own nodes come first, and a bound /dev gets none") {
    const auto plan = plan_of(R"(,"linux":{"devices":[{"path":"/dev/null","type":"c","major":1,
        "minor":3,"fileMode":384},{"path":"/dev/x","type":"p"}]})");
    REQUIRE(find_device(plan, "/dev/null") != nullptr);
    CHECK(find_device(plan, "/dev/null")->mode == mode_t{0600});
    CHECK(plan.container.devices.size() == 7);
    const auto bound = plan_of(R"(,"mounts":[{"destination":"/dev/","type":"bind","source":"/dev",
        "options":["rbind"]}])");
    CHECK(bound.container.devices.empty());
    CHECK(bound.container.links.empty());
}

TEST_CASE("hooks of the container read a state of their own") {
    const auto plan = plan_of(R"(,"hooks":{"createContainer":[{"path":"/h","timeout":3}],
        "startContainer":[{"path":"/s","args":["s","x"],"env":["A=1"]}]})");
    REQUIRE(plan.container.create_container_hooks.size() == 1);
    CHECK(plan.container.create_container_hooks.front().site == "/hooks/createContainer/0");
    CHECK(plan.container.create_container_hooks.front().timeout_seconds == 3U);
    REQUIRE(plan.container.create_state_slot);
    REQUIRE(plan.container.start_state_slot);
    CHECK(*plan.container.create_state_slot != *plan.container.start_state_slot);
    CHECK(plan.slots[*plan.container.create_state_slot].kind == SlotSource::Kind::HookState);
    CHECK(plan.slots[*plan.container.start_state_slot].kind == SlotSource::Kind::HookState);
}

TEST_CASE("whoever waits for readiness gets a directory to hear it from") {
    auto site = rich_site();
    site.notify_directory = "/run/x/c1/notify";
    const auto plan = plan_of(R"(,"process":{"args":["a"],"cwd":"/"})", site);
    CHECK(plan.slots[mount_at(plan, "/run/notify").slot].path == "/run/x/c1/notify");
    CHECK(plan.container.process.env.back() == "NOTIFY_SOCKET=/run/notify/notify.sock");
}

TEST_CASE("what is not done is refused with its place") {
    CHECK(refusal(R"(,"linux":{"netDevices":{"eth0":{}}})") == "/linux/netDevices");
    CHECK(refusal(R"(,"process":{"args":["a"],"cwd":"/","apparmorProfile":"p"})") ==
          "/process/apparmorProfile");
    CHECK(refusal(R"(,"process":{"args":["a"],"cwd":"/","selinuxLabel":"p"})") ==
          "/process/selinuxLabel");
    CHECK(refusal(R"(,"mounts":[{"destination":"/","type":"none","options":["remount","ro"]}])") ==
          "/mounts/0/destination");
    CHECK(refusal(R"(,"mounts":[{"destination":"/d","source":"/s","options":["bind"]},
          {"destination":"/d","options":["remount","sync"]}])") == "/mounts/1/options");
    CHECK(refusal(R"(,"mounts":[{"destination":"/t","type":"tmpfs","options":["size="]}])") ==
          "/mounts/0/options");
    CHECK(refusal(R"(,"mounts":[{"destination":"/t","type":"proc","options":["tmpcopyup"]}])") ==
          "/mounts/0/options");
}

TEST_CASE("a remount changes the last mount at its place") {
    const auto plan = plan_of(R"(,"mounts":[
        {"destination":"/d","type":"bind","source":"/s"},
        {"destination":"/d/","type":"tmpfs","options":["size=1m"]},
        {"destination":"/e","type":"bind","source":"/s"},
        {"destination":"//d/.","options":["remount","ro","size=2m","lazytime"]},
        {"destination":"/d","options":["remount","bind","nosuid","size=3m"]},
        {"destination":"/e","options":["remount","ro","rslave","async"]}])");
    const auto& mounts = plan.container.mounts;
    REQUIRE(mounts.size() == 6);
    for (const std::size_t i : {3U, 4U, 5U}) {
        CHECK(mounts[i].source == MountSource::Remount);
        CHECK(mounts[i].of == (i == 5 ? 2U : 1U));
    }
    using Options = std::vector<std::pair<std::string, std::string>>;
    CHECK(mounts[3].options == Options{{"lazytime", ""}, {"size", "2m"}});
    CHECK(mounts[3].attributes.set == MOUNT_ATTR_RDONLY);
    CHECK(mounts[4].options.empty());
    CHECK(mounts[4].attributes.set == MOUNT_ATTR_NOSUID);
    CHECK(mounts[5].options.empty());
    CHECK(mounts[5].propagation.size() == 1);
    // What a bind does with "size=3m".
    CHECK(plan.warnings.size() == 1);
}

TEST_CASE("what means nothing here is a warning") {
    const auto label = plan_of(R"(,"linux":{"mountLabel":"a:b"})");
    CHECK(label.warnings.size() == 1);
    const auto bind = plan_of(R"(,"mounts":[{"destination":"/d","source":"/s",
        "options":["bind","mode=755"]}])");
    REQUIRE(bind.warnings.size() == 1);
    CHECK(bind.warnings.front().starts_with("/mounts/0/options"));
}

TEST_CASE("a disabled cgroup manager leaves the container where it is") {
    auto site = rich_site();
    site.cgroup_disabled = true;
    CHECK_FALSE(plan_of("", site).placement);
}

}  // namespace warren::engine::oci
