#include "tests/unit/spec/support.hpp"

using namespace warren::spec;
using namespace warren::spec::test;
using warren::cgroups::Limit;
namespace isolation = warren::isolation;
namespace netns = warren::netns;

namespace {

using Strings = std::vector<std::string>;

std::string hostname_for(const std::string& name) {
    auto config = machine();
    config.name = name;
    return effective_hostname(config);
}

}  // namespace

TEST_CASE("a guest with its walls up has none weakened") {
    CHECK(weakened_walls(machine()).empty());
    auto config = machine();
    config.security.cap_drop = 1;
    config.security.read_only_root = true;
    config.security.no_new_privs = true;
    config.mounts = {{"/srv", "/srv"}};
    CHECK(weakened_walls(config).empty());
}

TEST_CASE("weakened walls are told in the command line's words") {
    auto config = machine();
    config.security.users = Wall::Host;
    config.security.time = Wall::Host;
    config.network.mode = netns::Mode::Host;
    config.security.seccomp_unconfined = true;
    config.security.nesting = true;
    config.security.cap_add = capability("net_raw") | capability("sys_time");
    config.security.devices = {{"/dev/fuse", "rwm"}, {"/dev/kvm", "rw"}};
    CHECK(weakened_walls(config) == Strings{"--userns host",
                                            "--time host",
                                            "--network host",
                                            "--seccomp unconfined",
                                            "--nesting",
                                            "--cap-add NET_RAW",
                                            "--cap-add SYS_TIME",
                                            "--device /dev/fuse:rwm",
                                            "--device /dev/kvm:rw"});
    config = machine();
    config.security.seccomp_file_text = "{}";
    CHECK(weakened_walls(config) == Strings{"--seccomp FILE"});
}

TEST_CASE("the host name is the configured one, else made of the name") {
    auto config = machine();
    config.hostname = "other.example";
    CHECK(effective_hostname(config) == "other.example");
    CHECK(hostname_for("web1") == "web1");
    CHECK(hostname_for("web_1") == "web-1");
    CHECK(hostname_for("a.b") == "a.b");
    CHECK(hostname_for("a..b-.-c_") == "a.b.c");
    CHECK(hostname_for("a_-") == "a");
    for (const char* name : {"web_1", "a..b-.-c_", "0.-", "a"}) {
        config.hostname = hostname_for(name);
        CHECK(places(check_hostname, config).empty());
    }
}

TEST_CASE("environments merge by key and keep their order") {
    CHECK(merge_env({"A=1", "B=2"}, {"B=3", "C=4", "A="}) == Strings{"A=", "B=3", "C=4"});
    CHECK(merge_env({"AB=1"}, {"A=2"}) == Strings{"AB=1", "A=2"});
    CHECK(merge_env({}, {"A=1", "A=2"}) == Strings{"A=2"});
}

TEST_CASE("an update changes what it names and nothing else") {
    auto config = machine();
    config.hostname = "old";
    config.labels = {{"a", "1"}, {"b", "2"}};
    config.env = {"A=1", "B=2"};
    config.limits.memory_max = Limit::of(1);
    config.limits.pids_max = Limit::of(2);
    CHECK(merge(config, ConfigUpdate{}) == config);

    ConfigUpdate update;
    update.labels = {{"a", ""}, {"c", "3"}, {"absent", ""}};
    update.env = {"B=", "C=3"};
    update.limits.memory_max = Limit::none();
    const auto merged = merge(config, update);
    CHECK(merged.hostname == "old");
    CHECK(merged.labels == std::map<std::string, std::string>{{"b", "2"}, {"c", "3"}});
    CHECK(merged.env == Strings{"A=1", "B=", "C=3"});
    CHECK(merged.limits.memory_max == Limit::none());
    CHECK(merged.limits.pids_max == Limit::of(2));

    update = {};
    update.hostname = "";
    CHECK(merge(config, update).hostname.empty());
}

TEST_CASE("the bounding set is the default, more and less") {
    auto config = machine();
    const auto defaults = isolation::default_bounding(config.kind, false);
    const auto all = isolation::all_capabilities();
    const auto sys_time = capability("sys_time");
    const auto net_raw = capability("net_raw");
    CHECK(bounding_capabilities(config) == defaults);
    config.security.cap_add = sys_time;
    config.security.cap_drop = net_raw;
    CHECK(bounding_capabilities(config) == ((defaults | sys_time) & ~net_raw));
    config.security.cap_drop = all;
    CHECK(bounding_capabilities(config) == sys_time);
    config.security.cap_add = all;
    config.security.cap_drop = net_raw;
    CHECK(bounding_capabilities(config) == (all & ~net_raw));
    config.security = {};
    config.security.users = Wall::Host;
    CHECK(bounding_capabilities(config) == isolation::default_bounding(config.kind, true));
}
