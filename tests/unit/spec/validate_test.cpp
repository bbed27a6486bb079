#include "tests/unit/spec/support.hpp"

using namespace warren::spec;
using namespace warren::spec::test;
using warren::base::ErrorKind;

TEST_CASE("a good config comes out as it went in") {
    for (const auto& config : {machine(), command_guest()}) {
        const auto validated = validate(config, able_host());
        REQUIRE(validated);
        CHECK(validated.value().get() == config);
    }
}

TEST_CASE("a read-only root, a volatile disk and both are a guest's own choice") {
    auto config = command_guest();
    config.remove_on_stop = true;
    config.security.read_only_root = true;
    config.security.no_new_privs = true;
    CHECK(find_problems(config, able_host()).empty());
}

TEST_CASE("every problem is found, wishes before the host, each check once") {
    auto config = machine();
    config.name = "../x";
    config.image = "";
    config.hostname = "-";
    config.command = {};
    config.init_system = "/";
    config.terminal = true;
    config.cwd = "x";
    config.env = {"x"};
    config.labels = {{"a b", ""}};
    config.limits.cpu_weight = 0;
    config.limits.memory_max = warren::cgroups::Limit::of(0);
    config.limits.pids_max = warren::cgroups::Limit::of(0);
    config.limits.io_weight = 0;
    config.limits.hugetlb = {{"x", warren::cgroups::Limit::none()}};
    config.mounts = {{"/a", "/"}};
    config.security.devices = {{"/x", "r"}};
    config.security.cap_add = 1;
    config.security.cap_drop = 1;
    config.security.seccomp_file_text = "{";
    config.security.nesting = true;
    config.security.users = Wall::Host;
    const HostCaps nothing;
    CHECK(places(find_problems(config, nothing)) ==
          "NAME; --image; --hostname; --init; --init; -t; --workdir; --env 1; --label a b; "
          "--cpu-weight; --memory; --pids; --io-weight; --hugepages 1; --mount 1; --device 1; "
          "--cap-add; --seccomp; --nesting; --time; --seccomp; --cap-add; ");
    CHECK(find_problems(config, nothing) == find_problems(config, nothing));
}

TEST_CASE("a config whose record could not be read again is refused") {
    auto config = machine();
    CHECK(places(check_readable, config).empty());
    config.limits.pids_max = warren::cgroups::Limit::of(UINT64_MAX);
    CHECK(places(check_readable, config) == "/limits/pids_max");
    CHECK(places(find_problems(config, able_host())) == "/limits/pids_max");
    config.image.clear();
    CHECK(places(find_problems(config, able_host())) == "--image");
}

TEST_CASE("the first problem is the error and the others come with it") {
    auto config = machine();
    config.hostname = "-";
    config.mounts = {{"/a", "/mnt"}, {"a", "/mnt/b"}};
    auto host = able_host();
    host.time_namespaces = false;
    const auto validated = validate(config, host);
    REQUIRE_FALSE(validated);
    const auto& error = validated.error();
    CHECK(error.kind() == ErrorKind::Usage);
    CHECK(error.place() == "--hostname");
    REQUIRE(error.secondary().size() == 2);
    CHECK(error.secondary()[0].place() == "--mount 2");
    CHECK(error.secondary()[1].kind() == ErrorKind::Unsupported);
    const auto line = error.describe();
    CHECK(line.starts_with("--hostname: \"-\" is no host name"));
    CHECK(line.find("; --time: this kernel has no time namespaces") != std::string::npos);
    CHECK(line.find('\n') == std::string::npos);
}

TEST_CASE("what only the host lacks is unsupported, not a wrong request") {
    auto host = able_host();
    host.time_namespaces = false;
    const auto validated = validate(machine(), host);
    REQUIRE_FALSE(validated);
    CHECK(validated.error().kind() == ErrorKind::Unsupported);
}
