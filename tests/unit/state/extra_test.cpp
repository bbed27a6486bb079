#include "runtime/state/extra.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace warren::state;
using warren::base::Json;

TEST_CASE("unknown members are those that the known value has not, at any depth") {
    const Json found = {
        {"a", 1}, {"b", {{"c", 2}, {"d", {{"e", 3}}}}}, {"f", nullptr}, {"g", {1, 2}}};
    const Json known = {{"a", 9}, {"b", {{"c", 9}, {"d", Json::object()}}}, {"g", {1}}};
    CHECK(unknown_members(found, known) == Json{{"b", {{"d", {{"e", 3}}}}}});
    CHECK(unknown_members(found, found) == Json::object());
    CHECK(unknown_members(found, Json::object()) ==
          Json{{"a", 1}, {"b", found["b"]}, {"g", {1, 2}}});
}

TEST_CASE("members are put back where nothing stands") {
    const Json value = {{"a", 9}, {"b", {{"c", 9}}}};
    const Json extra = {{"a", 1}, {"b", {{"c", 2}, {"d", 4}}}, {"e", {{"f", 5}}}};
    CHECK(with_members(value, extra) ==
          Json{{"a", 9}, {"b", {{"c", 9}, {"d", 4}}}, {"e", {{"f", 5}}}});
    CHECK(with_members(value, Json()) == value);
    CHECK(with_members(value, Json::object()) == value);
    CHECK(with_members(7, extra) == Json(7));
}
