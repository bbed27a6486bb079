#include "base/json.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace warren::base;

namespace {

std::string failure(std::string_view text) {
    const auto json = parse_json(text, "config.json");
    REQUIRE(!json.has_value());
    CHECK(json.error().kind() == ErrorKind::Usage);
    return json.error().describe();
}

std::string nested(std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
}

}  // namespace

TEST_CASE("good JSON comes in, in order, and goes out the same") {
    const std::string text =
        R"({"z":1,"a":[1,-2,3.5,true,null,"x"],"m":{"deep":{"er":{}}},"u":18446744073709551615})";
    CHECK(dump_json(parse_json(text, "x").value()) == text);
    CHECK(parse_json(" 5 ", "x").value() == 5);
    CHECK(parse_json("\"\xc3\xbc\"", "x").value() == "\xc3\xbc");
    CHECK(parse_json("[]", "x", 2).has_value());
}

TEST_CASE("syntax errors name the file and the byte") {
    CHECK(failure(R"({"a": x})").starts_with("config.json: byte 7: parse json: "));
    CHECK(failure("").starts_with("config.json: byte 1: "));
    for (const auto text : {"{",
                            "[1,]",
                            "{\"a\":1,}",
                            "[1] x",
                            "{}{}",
                            "'a'",
                            "[01]",
                            "[+1]",
                            "nan",
                            "// c\n1",
                            "{\"a\"}",
                            "[1e999]",
                            "\"\xff\"",
                            "\"\\ud800\"",
                            "\"a\nb\"",
                            "{a:1}",
                            "\"open"}) {
        CAPTURE(text);
        CHECK(failure(text).find('\n') == std::string::npos);
    }
    CHECK(failure(std::string_view("[1]\0", 4)).starts_with("config.json: byte 4"));
    CHECK(failure(std::string_view("[1]\0garbage", 11)).starts_with("config.json: byte 4"));
}

TEST_CASE("duplicate keys are refused where they stand") {
    CHECK(failure(R"({"a":1,"a":2})") == "config.json: /a: parse json: duplicate key");
    CHECK(failure(R"({"a":1,"b":2,"\u0061":3})") == "config.json: /a: parse json: duplicate key");
    CHECK(failure(R"({"x":[0,{"k/1":1,"y":2,"k/1":1}]})") ==
          "config.json: /x/1/k~11: parse json: duplicate key");
    CHECK(failure(R"({"":1,"":2})") == "config.json: /: parse json: duplicate key");
    CHECK(parse_json(R"({"a":{"a":{"a":1}},"b":{"a":2}})", "x").has_value());
}

TEST_CASE("many keys are not a way to burn time") {
    std::string text = "{";
    for (int i = 0; i < 100000; ++i) {
        text += "\"" + std::to_string(i) + "\":0,";
    }
    text += "\"x\":0}";
    CHECK(parse_json(text, "x").value().size() == 100001);
}

TEST_CASE("depth and size have limits") {
    CHECK(parse_json(nested(64), "x").has_value());
    CHECK(failure(nested(65)).find("nested deeper than 64") != std::string::npos);
    CHECK(failure(nested(1000000)).find("nested deeper than 64") != std::string::npos);
    std::string objects;
    for (int i = 0; i < 65; ++i) {
        objects += "{\"k\":";
    }
    CHECK(failure(objects).find("nested deeper than 64") != std::string::npos);
    CHECK(!parse_json("[1]", "x", 2));
    CHECK(parse_json("[1]", "x", 3).has_value());
}

TEST_CASE("dump_json replaces what is not UTF-8") {
    CHECK(dump_json(Json("a\xff"
                         "b")) ==
          "\"a\xef\xbf\xbd"
          "b\"");
    CHECK(dump_json(Json::parse(R"({"a":[1]})"), 2) == "{\n  \"a\": [\n    1\n  ]\n}");
}

TEST_CASE("the reader reads typed members") {
    const Json json = Json::parse(R"({"s":"x","u":5,"i":-5,"b":true,"l":["a","b"],
        "m":{"k":"v"},"n":null,"o":{"in":1},"os":[{"q":1},{"q":2}],"big":18446744073709551615})");
    const auto reader = JsonReader::of(json).value();
    CHECK(reader.has("s"));
    CHECK(!reader.has("n"));
    CHECK(!reader.has("absent"));
    CHECK(reader.string("s").value() == "x");
    CHECK(reader.uint("u").value() == 5);
    CHECK(reader.uint("big").value() == UINT64_MAX);
    CHECK(reader.integer("i").value() == -5);
    CHECK(reader.integer("u").value() == 5);
    CHECK(reader.boolean("b").value());
    CHECK(reader.strings("l").value() == std::vector<std::string>{"a", "b"});
    CHECK(reader.strings("absent").value().empty());
    CHECK(reader.string_map("m").value().at("k") == "v");
    CHECK(reader.string_map("n").value().empty());
    CHECK(reader.optional_string("n").value() == std::nullopt);
    CHECK(reader.optional_uint("absent").value() == std::nullopt);
    CHECK(reader.optional_integer("i").value() == -5);
    CHECK(reader.optional_boolean("b").value() == true);
    CHECK(reader.object("o").value().uint("in").value() == 1);
    CHECK(!reader.object("absent").value().has("x"));
    CHECK(reader.objects("os").value().at(1).uint("q").value() == 2);
    CHECK(reader.objects("absent").value().empty());
}

TEST_CASE("numbers made by code read like numbers that were parsed") {
    const Json json = {{"a", 5}, {"b", -1}, {"c", 7U}};
    const auto reader = JsonReader::of(json).value();
    CHECK(reader.uint("a").value() == 5);
    CHECK(!reader.uint("b"));
    CHECK(reader.integer("c").value() == 7);
}

TEST_CASE("a wrong member is named by its pointer") {
    const Json json = Json::parse(R"({"s":5,"u":-1,"f":1.0,"i":9223372036854775808,"b":"true",
        "l":["a",1],"m":{"a/b":{}},"o":[],"os":[{},3],"q":{"w":{}},"z":"a\u0000b","zl":["\u0000"]})");
    const auto reader = JsonReader::of(json, "/linux").value();
    const auto place = [](const auto& result) {
        REQUIRE(!result.has_value());
        CHECK(result.error().kind() == ErrorKind::Usage);
        return result.error().place();
    };
    CHECK(reader.string("s").error().describe() == "/linux/s: expected a string, found number");
    CHECK(reader.string("absent").error().describe() ==
          "/linux/absent: expected a string, found nothing");
    CHECK(place(reader.uint("u")) == "/linux/u");
    CHECK(place(reader.uint("f")) == "/linux/f");
    CHECK(place(reader.integer("i")) == "/linux/i");
    CHECK(place(reader.integer("f")) == "/linux/f");
    CHECK(place(reader.boolean("b")) == "/linux/b");
    CHECK(place(reader.strings("l")) == "/linux/l/1");
    CHECK(place(reader.strings("s")) == "/linux/s");
    CHECK(place(reader.string_map("m")) == "/linux/m/a~1b");
    CHECK(place(reader.string_map("o")) == "/linux/o");
    CHECK(place(reader.object("o")) == "/linux/o");
    CHECK(place(reader.objects("os")) == "/linux/os/1");
    CHECK(place(reader.objects("q")) == "/linux/q");
    CHECK(place(reader.optional_string("s")) == "/linux/s");
    CHECK(place(reader.string("z")) == "/linux/z");
    CHECK(place(reader.strings("zl")) == "/linux/zl/0");
    CHECK(place(reader.object("q").value().object("w").value().uint("x")) == "/linux/q/w/x");
    CHECK(!JsonReader::of(Json::parse("[]")));
}

TEST_CASE("names out of a hostile text are shortened in the error") {
    const std::string key(5000, 'k');
    const auto twin = parse_json("{\"" + key + "\": 1, \"" + key + "\": 2}", "f", 1U << 20U);
    REQUIRE(!twin);
    CHECK(twin.error().describe().size() < 400);
    CHECK(twin.error().describe().find("4800 bytes more") != std::string::npos);
    const auto token = parse_json("[\"" + std::string(5000, 'v'), "f", 1U << 20U);
    REQUIRE(!token);
    CHECK(token.error().describe().size() < 400);
}
