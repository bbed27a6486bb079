// What the tests of spec/oci share: documents from files, and their parts replaced.
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "runtime/spec/oci/check.hpp"
#include "runtime/spec/oci/parse.hpp"

namespace warren::spec::oci::test {

using base::Json;

using Pointers = std::vector<std::string>;

inline std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    REQUIRE(file);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// A document of the fuzz target's corpus: "full.json" has every member of the specification.
inline std::string document(const std::string& name) {
    return read_file(WARREN_TEST_DATA "/../../../fuzz/corpus/oci_documents/" + name);
}

inline Json json_document(const std::string& name) {
    return base::parse_json(document(name), name).value();
}

// `value` at `pointer`, which may be new.
inline Json with(Json json, const std::string& pointer, const Json& value) {
    json[Json::json_pointer(pointer)] = value;
    return json;
}

inline Json without(Json json, const std::string& pointer) {
    const Json::json_pointer at(pointer);
    auto& parent = json[at.parent_pointer()];
    if (parent.is_array()) {
        parent.erase(static_cast<std::size_t>(std::stoul(at.back())));
    } else {
        parent.erase(at.back());
    }
    return json;
}

inline base::Result<Config> parse(const Json& json) {
    return parse_config(json.dump());
}

// The place of the error; "parsed" when there is none.
inline std::string place_of_error(const Json& json) {
    const auto config = parse(json);
    return config ? "parsed" : config.error().place();
}

inline std::vector<std::string> pointers(const std::vector<Problem>& problems) {
    std::vector<std::string> out;
    for (const auto& problem : problems) {
        CHECK_FALSE(problem.text.empty());
        out.push_back(problem.pointer);
    }
    return out;
}

// A container of its own in everything but users; nothing to complain about.
inline Json small() {
    return Json::parse(R"({"ociVersion": "1.2.0",
        "process": {"cwd": "/", "args": ["sh"], "user": {"uid": 0, "gid": 0}},
        "root": {"path": "rootfs"},
        "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}, {"type": "uts"}, {"type": "ipc"},
                                 {"type": "network"}, {"type": "cgroup"}]}})");
}

}  // namespace warren::spec::oci::test
