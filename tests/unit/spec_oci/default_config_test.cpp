#include "runtime/spec/oci/default_config.hpp"

#include <algorithm>

#include "tests/unit/spec_oci/support.hpp"

using namespace warren::spec::oci;
using namespace warren::spec::oci::test;

namespace {

// runc's own, but for the name of the runtime, its version, the cgroup namespace, which runc adds on hosts with the
// unified hierarchy, and ambient capabilities, which cannot be had without inheritable ones.
Json expected(const char* file) {
    auto json =
        warren::base::parse_json(read_file(WARREN_TEST_DATA + std::string("/") + file), file)
            .value();
    json["ociVersion"] = std::string(kOciVersion);
    json["hostname"] = "warren";
    json["process"]["capabilities"].erase("ambient");
    auto& namespaces = json["linux"]["namespaces"];
    const Json cgroup = {{"type", "cgroup"}};
    if (std::find(namespaces.begin(), namespaces.end(), cgroup) == namespaces.end()) {
        namespaces.push_back(cgroup);
    }
    return json;
}

Config read(const Json& json) {
    auto config = parse(json).value();
    std::sort(config.linux.namespaces.begin(),
              config.linux.namespaces.end(),
              [](const NamespaceEntry& a, const NamespaceEntry& b) { return a.kind < b.kind; });
    return config;
}

}  // namespace

TEST_CASE("the default config is runc's in meaning, and sound") {
    const auto json = default_config({});
    CHECK(read(json) == read(expected("runc-root.json")));
    CHECK(check_config(parse(json).value()).empty());
}

TEST_CASE("the default config for an ordinary user is runc's in meaning, and sound") {
    const auto json = default_config({true, 0, 0});
    CHECK(read(json) == read(expected("runc-rootless.json")));
    CHECK(check_config(parse(json).value()).empty());
    const auto user = parse(default_config({true, 1000, 1001})).value();
    CHECK(user.linux.ids == warren::isolation::IdMap{{{0, 1000, 1}}, {{0, 1001, 1}}});
}
