#include "tests/unit/spec/support.hpp"

using namespace warren::spec;

TEST_CASE("strings that cannot be passed on or kept are told why") {
    CHECK_FALSE(bad_text("plain", 5));
    CHECK_FALSE(bad_text("", 0));
    CHECK_FALSE(bad_text("gr\xc3\xbc\xc3\x9f dich\n", 100));
    CHECK(bad_text("plain", 4) == "longer than 4 bytes");
    CHECK(bad_text(std::string("a\0b", 3), 10) == "has a NUL byte");
    CHECK(bad_text("\xff", 10) == "not UTF-8 text");
    CHECK(bad_text("\xc0\xaf", 10) == "not UTF-8 text");
}

TEST_CASE("paths are absolute and fit the kernel") {
    CHECK_FALSE(bad_path("/"));
    CHECK_FALSE(bad_path("/" + std::string(4094, 'a')));
    CHECK(bad_path("/" + std::string(4095, 'a')) == "longer than 4095 bytes");
    CHECK(bad_path("a/b") == "\"a/b\" is not an absolute path");
    CHECK(bad_path("") == "\"\" is not an absolute path");
    CHECK(bad_path(std::string("/a\0", 3)) == "has a NUL byte");
}

TEST_CASE("paths are brought into one form") {
    CHECK(normal_path("/a//b/./c/") == "/a/b/c");
    CHECK(normal_path("///") == "/");
    CHECK(normal_path("/./.") == "/");
    CHECK(normal_path("/a/../b") == "/a/../b");
    CHECK(has_parent_step("/a/../b"));
    CHECK(has_parent_step("/.."));
    CHECK_FALSE(has_parent_step("/a..b/..c/d.."));
}

TEST_CASE("places count as people do") {
    CHECK(nth("--env", 0) == "--env 1");
    CHECK(nth("--mount", 9) == "--mount 10");
}
