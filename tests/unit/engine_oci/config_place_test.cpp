#include "runtime/engine/oci/config_place.hpp"

#include <doctest/doctest.h>

namespace warren::engine::oci {

namespace {

std::string place_of(const std::string& what) {
    return with_config_place(base::fail(what)).place();
}

}  // namespace

TEST_CASE("what a step is called becomes its place in the config") {
    CHECK(place_of("mounts[3]: mount proc on /proc") == "/mounts/3");
    CHECK(place_of("devices[0]: make /dev/x") == "/linux/devices/0");
    CHECK(place_of("masked paths[1]: mask /proc/x") == "/linux/maskedPaths/1");
    CHECK(place_of("readonly paths[12]: make /x read-only") == "/linux/readonlyPaths/12");
    CHECK(place_of("/hooks/createContainer/0: exited with status 1") == "/hooks/createContainer/0");
    CHECK(place_of("sysctl net.ipv4.ip_forward: set") == "/linux/sysctl/net.ipv4.ip_forward");
    CHECK(place_of("sysctl \"net/ipv4/x~\": belongs to the host") ==
          "/linux/sysctl/net~1ipv4~1x~0");
    CHECK(place_of("hostname: longer than 64 bytes") == "/hostname");
}

TEST_CASE("the rest of the error stays") {
    auto error = base::errno_error(EPERM, "mounts[3]: mount proc on /proc");
    error.add_secondary(base::fail("and more"));
    const auto placed = with_config_place(std::move(error));
    CHECK(placed.what() == "mount proc on /proc");
    CHECK(placed.error_number() == EPERM);
    CHECK(placed.secondary().size() == 1);
}

TEST_CASE("an error that has a place, or names none, is left alone") {
    CHECK(place_of("clone into new namespaces") == "");
    CHECK(place_of("mounts[3] and nothing") == "");
    const auto placed = with_config_place(base::fail("mounts[3]: x").with_place("exec"));
    CHECK(placed.place() == "exec");
    CHECK(placed.what() == "mounts[3]: x");
}

}  // namespace warren::engine::oci
