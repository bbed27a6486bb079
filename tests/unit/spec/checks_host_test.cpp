#include "tests/unit/spec/support.hpp"

using namespace warren::spec;
using namespace warren::spec::test;
using warren::base::ErrorKind;
namespace cgroups = warren::cgroups;
namespace isolation = warren::isolation;

namespace {

using HostCheck = void (*)(const GuestConfig&, const HostCaps&, Problems&);

Problems problems_of(HostCheck check, const GuestConfig& config, const HostCaps& host) {
    Problems problems;
    check(config, host, problems);
    return problems;
}

}  // namespace

TEST_CASE("an able host has no problem with a plain guest") {
    for (const auto check :
         {check_controllers, check_namespaces, check_filter_support, check_held_capabilities}) {
        CHECK(problems_of(check, machine(), able_host()).empty());
    }
}

TEST_CASE("a missing namespace is refused with the option that does without") {
    auto config = machine();
    auto host = able_host();
    host.time_namespaces = false;
    const auto time = problems_of(check_namespaces, config, host);
    REQUIRE(time.size() == 1);
    CHECK(time.front() ==
          Problem{"--time",
                  "this kernel has no time namespaces; add --time host to share the host's clocks",
                  ErrorKind::Unsupported});
    config.security.time = Wall::Host;
    CHECK(problems_of(check_namespaces, config, host).empty());

    host.user_namespaces = false;
    const auto users = problems_of(check_namespaces, config, host);
    REQUIRE(users.size() == 1);
    CHECK(users.front().place == "--userns");
    CHECK(users.front().kind == ErrorKind::Unsupported);
    CHECK(users.front().text.find("--userns host") != std::string::npos);
    config.security.users = Wall::Host;
    CHECK(problems_of(check_namespaces, config, host).empty());
}

TEST_CASE("a kernel without filters needs a guest without one") {
    auto config = machine();
    auto host = able_host();
    host.seccomp_filter = false;
    const auto problems = problems_of(check_filter_support, config, host);
    REQUIRE(problems.size() == 1);
    CHECK(problems.front().place == "--seccomp");
    CHECK(problems.front().kind == ErrorKind::Unsupported);
    config.security.seccomp_unconfined = true;
    CHECK(problems_of(check_filter_support, config, host).empty());
}

TEST_CASE("without a user namespace nobody gets what we have not got") {
    auto config = machine();
    auto host = able_host();
    const auto raw = isolation::parse_capability("net_raw").value();
    host.capabilities &= ~raw;
    config.security.cap_add = raw | isolation::parse_capability("net_admin").value();
    CHECK(problems_of(check_held_capabilities, config, host).empty());
    config.security.users = Wall::Host;
    const auto problems = problems_of(check_held_capabilities, config, host);
    REQUIRE(problems.size() == 1);
    CHECK(problems.front().place == "--cap-add");
    CHECK(problems.front().text.find("NET_RAW") != std::string::npos);
}

TEST_CASE("a limit whose controller is elsewhere is refused in words") {
    auto config = machine();
    auto host = able_host();
    host.cgroup.mode = cgroups::HostMode::Hybrid;
    host.cgroup.controllers.clear();
    host.cgroup.elsewhere[cgroups::Controller::Memory] = "/sys/fs/cgroup/memory";
    CHECK(problems_of(check_controllers, config, host).empty());
    config.limits.memory_max = cgroups::Limit::of(1U << 20);
    const auto problems = problems_of(check_controllers, config, host);
    REQUIRE(problems.size() == 1);
    CHECK(problems.front().kind == ErrorKind::Unsupported);
    CHECK(problems.front().text.find("/sys/fs/cgroup/memory") != std::string::npos);
}
