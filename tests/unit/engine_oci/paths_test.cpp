#include "runtime/engine/oci/paths.hpp"

#include <doctest/doctest.h>

namespace warren::engine::oci {

TEST_CASE("paths of a bundle are seen from the bundle") {
    CHECK(join_path("/srv/b", "rootfs") == "/srv/b/rootfs");
    CHECK(join_path("/srv/b", "/data") == "/data");
    CHECK(join_path("/", "rootfs") == "/rootfs");
    CHECK(join_path("/srv/b", "") == "/srv/b");
}

TEST_CASE("clean paths have neither dots nor empty steps, and end at the root") {
    CHECK(clean_path("/a//b/./c/") == "/a/b/c");
    CHECK(clean_path("/a/b/../c") == "/a/c");
    CHECK(clean_path("/../../etc") == "/etc");
    CHECK(clean_path("a/b") == "/a/b");
    CHECK(clean_path("") == "/");
    CHECK(clean_path("/") == "/");
}

TEST_CASE("an absolute path stays what it is") {
    const auto path = absolute_path("/a/./b");
    REQUIRE(path);
    CHECK(path.value() == "/a/b");
    const auto relative = absolute_path("x");
    REQUIRE(relative);
    CHECK(relative.value().starts_with('/'));
    CHECK(relative.value().ends_with("/x"));
}

}  // namespace warren::engine::oci
