#include "runtime/engine/launch_plan.hpp"

#include <algorithm>

#include <doctest/doctest.h>

namespace warren::engine {

namespace {

spec::HostCaps full_host() {
    spec::HostCaps host;
    host.cgroup.mode = cgroups::HostMode::Unified;
    host.cgroup.controllers = {cgroups::Controller::Memory};
    host.is_root = true;
    host.user_namespaces = true;
    host.time_namespaces = true;
    host.seccomp_filter = true;
    return host;
}

spec::GuestConfig command_config() {
    spec::GuestConfig config;
    config.name = "web_1";
    config.image = "busybox";
    config.kind = isolation::GuestKind::Command;
    config.command = {"/bin/true"};
    return config;
}

LaunchPlan plan_of(const spec::GuestConfig& config, const PlanSite& site) {
    const auto validated = spec::validate(config, full_host());
    REQUIRE(validated);
    Lookups lookups;
    lookups.bind_is_directory.assign(config.mounts.size(), true);
    auto plan = plan_launch(validated.value(), lookups, site);
    REQUIRE(plan);
    return std::move(plan).value();
}

const PlanSite kSite{true, Clocks{1, 1}, 0x20000000U, false};

bool mentions(const std::vector<std::string>& list, const std::string& text) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

TEST_CASE("a command guest has all walls") {
    const auto plan = plan_of(command_config(), kSite);
    CHECK(plan.guest.namespaces == isolation::NamespaceSet::all());
    CHECK(plan.guest.hostname == "web-1");
    CHECK(plan.seccomp.profile == isolation::SeccompProfile::Command);
    REQUIRE(plan.id_map);
    CHECK(plan.id_map->uids ==
          std::vector<isolation::IdRange>{{.inside = 0, .outside = 0x20000000U, .count = 65536}});
    CHECK(plan.root_uid == 0x20000000U);
    CHECK(plan.guest.netlink_requests.size() == 1);
    CHECK(plan.guest.process.stdio == isolation::Stdio::Given);
    CHECK_FALSE(plan.guest.masked_paths.empty());
    CHECK_FALSE(plan.guest.readonly_paths.empty());
}

TEST_CASE("the device program allows just what has a rule") {
    const auto plan = plan_of(command_config(), kSite);
    REQUIRE(plan.device_access.size() == plan.devices.size());
    for (const auto& access : plan.device_access) {
        CHECK(access.type == 'c');
        CHECK(access.major.has_value());
    }
}

TEST_CASE("walls that were named weaker are the only ones that are") {
    auto config = command_config();
    config.security.users = spec::Wall::Host;
    config.security.time = spec::Wall::Host;
    PlanSite site = kSite;
    site.id_base.reset();
    const auto plan = plan_of(config, site);
    auto expected = isolation::NamespaceSet::all();
    expected.remove(isolation::Namespace::User);
    expected.remove(isolation::Namespace::Time);
    CHECK(plan.guest.namespaces == expected);
    CHECK_FALSE(plan.id_map);
    CHECK(plan.root_uid == 0);
}

TEST_CASE("a guest's clocks begin at zero") {
    PlanSite site = kSite;
    site.clocks = Clocks{5'000'000'000, 7'000'000'123};
    const std::vector<isolation::TimeOffset> expected{{false, -5, 0}, {true, -8, 999'999'877}};
    CHECK(plan_of(command_config(), site).guest.time_offsets == expected);
    auto config = command_config();
    config.security.time = spec::Wall::Host;
    CHECK(plan_of(config, site).guest.time_offsets.empty());
    site.clocks.reset();
    CHECK(plan_of(command_config(), site).guest.time_offsets.empty());
}

TEST_CASE("the clocks of a caller in a guest are brought back to the host's") {
    const Clocks inside{5'000'000'000, 7'000'000'000};
    const auto host =
        inside.without("monotonic      -27205 635354996\nboottime            10         0\n");
    CHECK(host.monotonic == 27'209'364'645'004);
    CHECK(host.boottime == -3'000'000'000);
    CHECK(inside.without("").monotonic == inside.monotonic);
    CHECK(inside.without("something else").boottime == inside.boottime);
}

TEST_CASE("the child shares our memory unless the guest's limit or an old kernel is in the way") {
    auto config = command_config();
    CHECK(plan_of(config, kSite).guest.share_memory);
    PlanSite old = kSite;
    old.exec_enters_time = false;
    CHECK_FALSE(plan_of(config, old).guest.share_memory);
    config.security.time = spec::Wall::Host;
    CHECK(plan_of(config, old).guest.share_memory);
    constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
    config.limits.memory_max = cgroups::Limit::of(16 * kMiB);
    CHECK(plan_of(config, kSite).guest.share_memory);
    config.limits.memory_max = cgroups::Limit::of(16 * kMiB - 1);
    CHECK_FALSE(plan_of(config, kSite).guest.share_memory);
    config.limits.memory_max = cgroups::Limit::none();
    CHECK(plan_of(config, kSite).guest.share_memory);
}

TEST_CASE("the guest's environment overrides by key and keeps the order") {
    auto config = command_config();
    config.env = {"FOO=1", "PATH=/only", "FOO=2"};
    const auto plan = plan_of(config, kSite);
    const auto& env = plan.guest.process.env;
    CHECK(mentions(env, "FOO=2"));
    CHECK_FALSE(mentions(env, "FOO=1"));
    CHECK(mentions(env, "PATH=/only"));
    CHECK(std::count_if(env.begin(), env.end(), [](const std::string& entry) {
              return entry.starts_with("PATH=");
          }) == 1);
}

TEST_CASE("binds take the released slots in order") {
    auto config = command_config();
    config.mounts = {{"/srv/a", "/a", false}, {"/srv/b", "/b", true}};
    const auto plan = plan_of(config, kSite);
    const auto& mounts = plan.guest.mounts;
    REQUIRE(mounts.size() >= 2);
    CHECK(mounts[mounts.size() - 2].slot == isolation::kFirstBindSlot);
    CHECK(mounts.back().slot == isolation::kFirstBindSlot + 1);
    CHECK(mounts.back().target == "/b");
}

TEST_CASE("a machine gets a console and its own filter") {
    auto config = command_config();
    config.kind = isolation::GuestKind::Machine;
    config.command = {"/sbin/init"};
    PlanSite site = kSite;
    site.terminal = true;
    const auto plan = plan_of(config, site);
    CHECK(plan.seccomp.profile == isolation::SeccompProfile::Machine);
    CHECK(plan.guest.process.stdio == isolation::Stdio::Terminal);
    CHECK(plan.guest.process.console_device);
    CHECK(std::any_of(plan.guest.process.env.begin(),
                      plan.guest.process.env.end(),
                      [](const std::string& entry) { return entry.starts_with("container="); }));
}

TEST_CASE(
    "a process that joins an ordinary user has no capabilities, and the caller's environment") {
    JoinRequest request;
    request.command = {"id"};
    request.uid = 33;
    request.gid = 33;
    request.groups = {4};
    request.home = "/var/www";
    request.cwd = "/tmp";
    request.env = {"HOME=/elsewhere"};
    const auto join = plan_exec(command_config(), request);
    CHECK(join.process.capabilities.permitted == 0);
    CHECK(join.process.capabilities.bounding != 0);
    CHECK(join.process.uid == 33);
    CHECK(mentions(join.process.env, "HOME=/elsewhere"));
    CHECK(join.namespaces == isolation::NamespaceSet::all());
}

TEST_CASE("the plan can be read") {
    const auto config = command_config();
    const auto text = describe(plan_of(config, kSite), config);
    REQUIRE(text);
    CHECK(text.value().find("ids 0-65535 -> 536870912-536936447") != std::string::npos);
    CHECK(text.value().find("/proc") != std::string::npos);
    CHECK(text.value().find("/bin/true") != std::string::npos);
}

}  // namespace warren::engine
