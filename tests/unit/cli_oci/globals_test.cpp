#include <array>

#include "tests/unit/cli_oci/support.hpp"

namespace warren::cli::oci {

namespace {

using engine::oci::Rootless;
using test::check_usage;
using test::words_of;

base::Result<Globals> globals_of(const std::string& line, const std::string& here = "/here") {
    const std::array groups{kGlobalGroup};
    const auto parsed = Arguments::parse(groups, {"VERB", 0, 0, true, true, true}, words_of(line));
    REQUIRE_MESSAGE(parsed.has_value(), parsed.error().describe());
    return parse_globals(parsed.value(), here);
}

}  // namespace

TEST_CASE("global options as engines give them") {
    const auto both = [](const std::string& line) {
        const Globals globals = globals_of(line).value();
        CHECK(globals.settings.root == "/run/r");
        CHECK(globals.log.path == "/run/log");
        CHECK(globals.log.json);
        CHECK(globals.settings.systemd_cgroup);
    };
    both("--root /run/r --log /run/log --log-format json --systemd-cgroup create --bundle b c1");
    both("--systemd-cgroup --log-format=json --log=/run/log --root=/run/r create c1");
    both("--systemd-cgroup=true --log-format=json --log=/run/log --root=/run/r kill c1 --all");
    both(
        "--cgroup-manager systemd --root /run/other --root /run/r --log=/x --log=/run/log "
        "--log-format json list");
}

TEST_CASE("global options that are absent") {
    const Globals globals = globals_of("state c1 --debug").value();
    CHECK(globals.settings.root.empty());
    CHECK(globals.log.path.empty());
    CHECK_FALSE(globals.log.json);
    CHECK_FALSE(globals.log.debug);
    CHECK_FALSE(globals.settings.systemd_cgroup);
    CHECK_FALSE(globals.settings.cgroup_disabled);
    CHECK(globals.settings.rootless == Rootless::Auto);
    CHECK(globals.settings.criu == "criu");
}

TEST_CASE("the rest of the global options") {
    CHECK(globals_of("--root r list").value().settings.root == "/here/r");
    CHECK(globals_of("--debug list").value().log.debug);
    CHECK_FALSE(globals_of("--debug=false list").value().log.debug);
    CHECK(globals_of("--rootless=true list").value().settings.rootless == Rootless::Yes);
    CHECK(globals_of("--rootless false list").value().settings.rootless == Rootless::No);
    CHECK(globals_of("--rootless auto list").value().settings.rootless == Rootless::Auto);
    CHECK(globals_of("--cgroup-manager disabled list").value().settings.cgroup_disabled);
    CHECK_FALSE(globals_of("--cgroup-manager cgroupfs list").value().settings.systemd_cgroup);
    CHECK(globals_of("--criu /opt/criu list").value().settings.criu == "/opt/criu");
}

TEST_CASE("wrong values of global options") {
    check_usage(globals_of("--log-format xml list"), {"--log-format", "xml"});
    check_usage(globals_of("--rootless maybe list"), {"--rootless", "maybe"});
    check_usage(globals_of("--cgroup-manager none list"), {"--cgroup-manager", "none"});
    check_usage(globals_of("--root r list", ""), {"--root", "'r'"});
    const std::array groups{kGlobalGroup};
    check_usage(Arguments::parse(groups, {"VERB", 0, 0, true, true, true}, {"--debug=yes", "list"}),
                {"--debug=yes"});
}

}  // namespace warren::cli::oci
