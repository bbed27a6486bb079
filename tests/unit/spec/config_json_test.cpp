#include <nlohmann/json.hpp>

#include "base/fd.hpp"
#include "tests/unit/spec/support.hpp"

using namespace warren::spec;
using namespace warren::spec::test;
using warren::base::Json;
using warren::base::JsonReader;
using warren::cgroups::Limit;
namespace base = warren::base;
namespace isolation = warren::isolation;
namespace netns = warren::netns;

namespace {

// Every member differs from its default.
GuestConfig full() {
    GuestConfig config;
    config.name = "build-7";
    config.image = "debian:12";
    config.kind = isolation::GuestKind::Command;
    config.hostname = "build.example";
    config.command = {"make", "-j", "", "say \"hi\"\n\t\xc3\xa4"};
    config.init_system = "none";
    config.env = {"LANG=C.UTF-8", "EMPTY="};
    config.cwd = "/srv";
    config.terminal = true;
    config.remove_on_stop = true;
    config.labels = {{"com.example/team", "a b"}, {"tier", "1"}};
    config.limits.cpu_max_micros = Limit::of(1'500'000);
    config.limits.memory_max = Limit::of(512U << 20);
    config.limits.memory_low = 64U << 20;
    config.limits.pids_max = Limit::none();
    config.limits.io_max = {
        {8, 16, Limit::of(10U << 20), std::nullopt, std::nullopt, std::nullopt}};
    config.limits.hugetlb = {{"2MB", Limit::of(4U << 20)}};
    config.mounts = {{"/srv/data", "/data", true}, {"/srv/rw", "/rw", false}};
    config.security.cap_add = isolation::parse_capability("net_raw").value();
    config.security.cap_drop =
        isolation::parse_capability("mknod").value() | isolation::parse_capability("chown").value();
    config.security.seccomp_file_text = "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}";
    config.security.devices = {{"/dev/fuse", "rw"}};
    config.security.users = Wall::Host;
    config.security.time = Wall::Host;
    config.security.read_only_root = true;
    config.security.no_new_privs = true;
    config.security.nesting = true;
    config.network.mode = netns::Mode::Host;
    return config;
}

base::Result<GuestConfig> parse(const Json& json) {
    return config_from_json(JsonReader::of(json, "/config").value());
}

// Where reading fails when the member at `pointer` is `value`.
std::string refused_at(const char* pointer, const Json& value) {
    Json json = to_json(full());
    json[Json::json_pointer(pointer)] = value;
    const auto config = parse(json);
    return config ? "" : config.error().place();
}

}  // namespace

TEST_CASE("a config is written as it always was") {
    const auto golden = base::read_file_at(AT_FDCWD, WARREN_TEST_DATA "/guest_config.json").value();
    CHECK(base::dump_json(to_json(full()), 2) + "\n" == golden);
    const auto json = base::parse_json(golden, "golden").value();
    CHECK(parse(json).value() == full());
}

TEST_CASE("configs come back as they went") {
    for (const auto& config : {machine(), command_guest(), full(), GuestConfig{}}) {
        const auto text = base::dump_json(to_json(config));
        CHECK(parse(base::parse_json(text, "config").value()).value() == config);
    }
    auto config = machine();
    config.security.seccomp_unconfined = true;
    CHECK(parse(to_json(config)).value() == config);
}

TEST_CASE("what is absent has its default") {
    const auto config = parse({{"name", "a"}, {"kind", "machine"}});
    REQUIRE(config);
    GuestConfig expected;
    expected.name = "a";
    CHECK(config.value() == expected);
}

TEST_CASE("a name and a kind are never guessed") {
    CHECK(parse({{"kind", "machine"}}).error().place() == "/config/name");
    CHECK(parse({{"name", "a"}}).error().place() == "/config/kind");
}

TEST_CASE("wrong types and words are refused where they stand") {
    for (const char* pointer : {"/name",
                                "/image",
                                "/kind",
                                "/hostname",
                                "/command",
                                "/init_system",
                                "/env",
                                "/cwd",
                                "/terminal",
                                "/remove_on_stop",
                                "/labels",
                                "/limits",
                                "/mounts",
                                "/security",
                                "/network",
                                "/limits/memory_max_bytes",
                                "/mounts/1/target",
                                "/mounts/0/read_only",
                                "/security/cap_add",
                                "/security/seccomp",
                                "/security/seccomp_profile",
                                "/security/devices",
                                "/security/devices/0/access",
                                "/security/users",
                                "/security/time",
                                "/security/read_only_root",
                                "/security/no_new_privileges",
                                "/security/nesting",
                                "/network/mode",
                                "/command/1",
                                "/labels/tier",
                                "/security/cap_drop/0"}) {
        CAPTURE(pointer);
        CHECK(refused_at(pointer, 7.5) == "/config" + std::string(pointer));
    }
    CHECK(refused_at("/kind", "pod") == "/config/kind");
    CHECK(refused_at("/security/users", "root") == "/config/security/users");
    CHECK(refused_at("/security/time", "") == "/config/security/time");
    CHECK(refused_at("/security/seccomp", "none") == "/config/security/seccomp");
    CHECK(refused_at("/network/mode", "bridge") == "/config/network/mode");
    CHECK(refused_at("/security/cap_drop/1", "CAP_NONSENSE") == "/config/security/cap_drop/1");
}

TEST_CASE("a lost seccomp profile is no default profile") {
    CHECK(refused_at("/security/seccomp_profile", nullptr) == "/config/security/seccomp_profile");
    CHECK(refused_at("/security/seccomp", "default") == "/config/security/seccomp_profile");
}
