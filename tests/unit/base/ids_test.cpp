#include "base/ids.hpp"

#include <doctest/doctest.h>

using namespace warren::base;

TEST_CASE("good names are taken as they are") {
    for (const std::string_view text :
         {"a", "0", "web1", "Web-1", "a.b_c-d", "a..b", "9lives", "a-", "a."}) {
        CAPTURE(text);
        const auto name = Name::parse_guest(text);
        REQUIRE(name.has_value());
        CHECK(name.value().str() == text);
        CHECK(Name::parse_image(text).has_value());
    }
    CHECK(Name::parse_guest(std::string(63, 'x')).has_value());
    CHECK(Name::parse_image("debian:12").value().str() == "debian:12");
    CHECK(!Name::parse_guest("debian:12"));
}

TEST_CASE("hostile names are refused in one printable line") {
    const std::string_view hostile[] = {
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "/",
        "/etc",
        "-rf",
        "_a",
        ".hidden",
        ":a",
        "a b",
        " a",
        "a ",
        "a\n",
        "\na",
        "a\nb",
        "a\tb",
        "a\x1b[2J",
        "a\x7f",
        "a*",
        "a?",
        "a[b]",
        "a;b",
        "a|b",
        "a&b",
        "a$b",
        "a`b",
        "a\"b",
        "a'b",
        "a\\b",
        "a%b",
        "a@b",
        "a#b",
        "a=b",
        "a,b",
        "a~b",
        "~",
        "gr\xc3\xbcn",
        "\xff",
        "a\xe2\x80\xae",
        "a+b",
        std::string_view("a\0b", 3),
        std::string_view("a\0", 2),
    };
    for (const auto text : hostile) {
        CAPTURE(printable(text));
        for (const auto& name : {Name::parse_guest(text), Name::parse_image(text)}) {
            REQUIRE(!name.has_value());
            CHECK(name.error().kind() == ErrorKind::Usage);
            CHECK(name.error().describe().find('\n') == std::string::npos);
        }
    }
    CHECK(!Name::parse_guest(std::string(64, 'x')));
    const auto endless = Name::parse_guest(std::string(100000, 'x'));
    REQUIRE(!endless.has_value());
    CHECK(endless.error().describe().size() < 300);
}

TEST_CASE("names compare by their text") {
    CHECK(Name::parse_guest("a").value() < Name::parse_guest("b").value());
    CHECK(Name::parse_guest("a").value() == Name::parse_guest("a").value());
}
