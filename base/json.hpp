// JSON in and out. nlohmann/json throws; every call that can is fenced here. Reading states what is
// expected and answers with the JSON pointer of the place that is not so.
//
// Json is only named here: parsing what it is takes longer than most files do. Who makes a value, or takes one
// apart, includes <nlohmann/json.hpp>.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.hpp"

namespace warren::base {

using Json = nlohmann::ordered_json;

// Refuses text over `limit` bytes, nesting deeper than 64, duplicate keys and trailing garbage. The
// error's context is `name`, its place "byte N" or the JSON pointer of the offending member; its
// kind is Usage.
[[nodiscard]] Result<Json> parse_json(std::string_view text,
                                      const std::string& name,
                                      std::size_t limit = 4U << 20);
// Never throws: bytes that are not UTF-8 are replaced.
[[nodiscard]] std::string dump_json(const Json& value, int indent = -1);

// A view of one JSON object that reads typed members and remembers where it stands. Does not own
// the value. A null member counts as absent. Numbers must be written as integers. A string with a
// NUL byte is refused, since every string read here ends up as a C string in a system call. Errors
// have kind Usage.
class JsonReader {
public:
    // Fails when `value` is not an object.
    [[nodiscard]] static Result<JsonReader> of(const Json& value, std::string pointer = "");

    // Present and not null.
    [[nodiscard]] bool has(const char* key) const;
    // Required members: absent is an error.
    [[nodiscard]] Result<std::string> string(const char* key) const;
    [[nodiscard]] Result<std::uint64_t> uint(const char* key) const;
    [[nodiscard]] Result<std::int64_t> integer(const char* key) const;
    [[nodiscard]] Result<bool> boolean(const char* key) const;
    // Absent: empty.
    [[nodiscard]] Result<std::vector<std::string>> strings(const char* key) const;
    [[nodiscard]] Result<std::map<std::string, std::string>> string_map(const char* key) const;
    // Absent or null: nullopt.
    [[nodiscard]] Result<std::optional<std::string>> optional_string(const char* key) const;
    [[nodiscard]] Result<std::optional<std::uint64_t>> optional_uint(const char* key) const;
    [[nodiscard]] Result<std::optional<std::int64_t>> optional_integer(const char* key) const;
    [[nodiscard]] Result<std::optional<bool>> optional_boolean(const char* key) const;
    // A member object; absent: an empty object.
    [[nodiscard]] Result<JsonReader> object(const char* key) const;
    // The member objects of an array; absent: none.
    [[nodiscard]] Result<std::vector<JsonReader>> objects(const char* key) const;

    [[nodiscard]] const Json& value() const { return *value_; }

    [[nodiscard]] const std::string& pointer() const { return pointer_; }

private:
    JsonReader(const Json* value, std::string pointer)
        : value_(value), pointer_(std::move(pointer)) {}

    const Json* value_;
    std::string pointer_;
};

}  // namespace warren::base
