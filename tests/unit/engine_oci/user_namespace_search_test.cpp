#include "runtime/engine/oci/user_namespace_search.hpp"

#include <string_view>

#include <doctest/doctest.h>

namespace warren::engine::oci {

namespace {

bool found(std::string_view text) {
    UserNamespaceSearch search;
    search.feed(text.data(), text.size());
    return search.found();
}

}  // namespace

TEST_CASE("a user namespace is found in a config's text") {
    CHECK(found(R"({"linux": {"namespaces": [{"type":"user"}]}})"));
    CHECK(found(R"(["user"])"));
    CHECK(found("\"user\""));
    CHECK(found("\"user\" \t\r\n "));
    CHECK(found("\"user\" \n,"));
    CHECK(found(R"("use"user")"));
    CHECK(found(R"(""user"x)"));
    CHECK(found(R"({"user": "user"})"));
    CHECK(found(R"({"type": "\u0075ser"})"));
    CHECK_FALSE(found(""));
    CHECK_FALSE(found(R"({"process": {"user": {"uid": 0}, "user" : 1, "user")"
                      "\n:2}}"));
    CHECK_FALSE(found(R"({"a": "users", "b": "auser", "c": "use", "d": "User", "e": "\n"})"));
}

TEST_CASE("a user namespace is found wherever the text is divided") {
    constexpr std::string_view kNamed = R"({"user": 1, "type": "user"})";
    constexpr std::string_view kPlain = R"({"user" : 1, "type": "mount"})";
    for (const auto text : {kNamed, kPlain}) {
        for (std::size_t at = 0; at <= text.size(); ++at) {
            UserNamespaceSearch search;
            search.feed(text.data(), at);
            search.feed(text.data() + at, text.size() - at);
            CHECK(search.found() == (text == kNamed));
        }
    }
}

}  // namespace warren::engine::oci
