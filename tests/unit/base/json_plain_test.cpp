#include "base/json_plain.hpp"

#include <random>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace warren::base;

namespace {

constexpr std::size_t kDepth = 8;

// What both say of it: the same value, in the same order. False when it is not plain.
bool agrees(const std::string& text) {
    const auto plain = parse_plain_json(text, kDepth);
    if (!plain) {
        return false;
    }
    const auto whole = Json::parse(text, nullptr, false);
    INFO(text);
    REQUIRE_FALSE(whole.is_discarded());
    CHECK(*plain == whole);
    CHECK(plain->dump() == whole.dump());
    return true;
}

}  // namespace

TEST_CASE("plain JSON is read as the library reads it") {
    for (const auto* text : {"{}",
                             "[]",
                             " \t\r\n[ 1 , 2 ]\n",
                             "0",
                             "-0",
                             "-17",
                             "9223372036854775808",
                             "9999999999999999999",
                             "-999999999999999999",
                             "true",
                             "false",
                             "null",
                             "\"\"",
                             R"("a\"b\\c\/d\b\f\n\r\t ~")",
                             R"({"z":1,"a":[true,false,null,"x",[],{}],"m":{"deep":{"er":{}}}})",
                             R"({"a":{"a":{"a":1}},"b":{"a":2},"c":[{"a":1},{"a":2}]})",
                             "[[[[[[[[]]]]]]]]"}) {
        CAPTURE(text);
        CHECK(agrees(text));
    }
    CHECK(parse_plain_json("-1", kDepth)->is_number_integer());
    CHECK(parse_plain_json("1", kDepth)->is_number_unsigned());
}

TEST_CASE("all else is left to the library") {
    for (const auto* text : {"",
                             " ",
                             "{",
                             "[1,]",
                             "{\"a\":1,}",
                             "[1] x",
                             "{}{}",
                             "[01]",
                             "-",
                             "[-]",
                             "1.0",
                             "1e3",
                             "tru",
                             "trueish",
                             "\"a\nb\"",
                             "\"open",
                             "\"\\u0061\"",
                             "\"\\x\"",
                             "\"\xc3\xbc\"",
                             "\"\x7f\"",
                             "{\"a\"}",
                             "{\"a\" 1}",
                             "{a:1}",
                             "[1 2]",
                             "{\"a\":1 \"b\":2}",
                             "[1,,2]",
                             "[,1]",
                             "[",
                             "\"\\",
                             "10000000000000000000",
                             "-1000000000000000000",
                             "-9223372036854775809",
                             "99999999999999999999",
                             "{\"a\":1,\"b\":2,\"a\":3}",
                             "[[[[[[[[[]]]]]]]]]",
                             "\xef\xbb\xbf{}"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_plain_json(text, kDepth).has_value());
    }
    CHECK_FALSE(parse_plain_json(std::string_view("1\0", 2), kDepth).has_value());
}

TEST_CASE("what it takes of damaged JSON, the library takes as well") {
    const std::string good = R"({"name":"web1","n":[1,-2,{"k":"v\n"}],"t":true,"o":{"x":null}})";
    const std::string letters = "{}[]\",:\\ntrue0123-.e \n\x7f";
    std::mt19937 random(1);  // NOLINT: the same each time
    int plain = 0;
    for (int round = 0; round < 20000; ++round) {
        std::string text = good;
        for (auto changes = 1 + random() % 3; changes > 0; --changes) {
            const auto at = random() % text.size();
            const char letter = letters[random() % letters.size()];
            switch (random() % 3) {
                case 0:
                    text[at] = letter;
                    break;
                case 1:
                    text.insert(at, 1, letter);
                    break;
                default:
                    text.erase(at, 1);
            }
        }
        plain += agrees(text) ? 1 : 0;
    }
    CHECK(plain > 100);
    CHECK(plain < 20000);
}
