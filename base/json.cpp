#include "base/json.hpp"

#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

#include "base/excerpt.hpp"
#include "base/json_plain.hpp"

namespace warren::base {

namespace {

constexpr std::size_t kMaxDepth = 64;

// RFC 6901.
std::string escape_pointer(std::string_view key) {
    std::string out;
    for (const char c : key) {
        if (c == '~') {
            out += "~0";
        } else if (c == '/') {
            out += "~1";
        } else {
            out += c;
        }
    }
    return out;
}

std::string join(const std::string& pointer, std::string_view key) {
    return pointer + "/" + escape_pointer(excerpt(key));
}

// Builds the value from the parser's events. Unlike the library's own builder it limits the depth,
// refuses duplicate keys, and does not search the object for each key it adds, which would be
// quadratic.
class Builder final : public nlohmann::json_sax<Json> {
public:
    bool null() override { return add(Json(nullptr)); }

    bool boolean(bool value) override { return add(Json(value)); }

    bool number_integer(number_integer_t value) override { return add(Json(value)); }

    bool number_unsigned(number_unsigned_t value) override { return add(Json(value)); }

    bool number_float(number_float_t value, const string_t& /*text*/) override {
        return add(Json(value));
    }

    bool string(string_t& value) override { return add(Json(std::move(value))); }

    bool binary(binary_t& /*value*/) override { return refuse("binary value"); }

    bool start_object(std::size_t /*size*/) override { return open(Json::object()); }

    bool key(string_t& name) override {
        levels_.back().key = std::move(name);
        return true;
    }

    bool end_object() override {
        const auto& members = levels_.back().value.get_ref<const Json::object_t&>();
        std::vector<std::string_view> keys;
        keys.reserve(members.size());
        for (const auto& member : members) {
            keys.emplace_back(member.first);
        }
        std::sort(keys.begin(), keys.end());
        const auto twin = std::adjacent_find(keys.begin(), keys.end());
        if (twin != keys.end()) {
            levels_.back().key = std::string(*twin);
            return refuse("duplicate key");
        }
        return close();
    }

    bool start_array(std::size_t /*size*/) override { return open(Json::array()); }

    bool end_array() override { return close(); }

    bool parse_error(std::size_t position,
                     const std::string& /*token*/,
                     const nlohmann::detail::exception& error) override {
        // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ..."
        std::string_view text(error.what());
        if (const auto bracket = text.find("] "); bracket != std::string_view::npos) {
            text.remove_prefix(bracket + 2);
        }
        what_ = excerpt(text);
        place_ = "byte " + std::to_string(position);
        return false;
    }

    [[nodiscard]] Json take() { return std::move(root_); }

    [[nodiscard]] Error error() const {
        return usage_error("parse json: " + what_).with_place(place_);
    }

private:
    struct Level {
        Json value;
        std::string key;  // of the member being read
    };

    bool add(Json value) {
        if (levels_.empty()) {
            root_ = std::move(value);
            return true;
        }
        Level& level = levels_.back();
        if (level.value.is_array()) {
            level.value.get_ref<Json::array_t&>().push_back(std::move(value));
        } else {
            level.value.get_ref<Json::object_t&>().emplace_back(level.key, std::move(value));
        }
        return true;
    }

    bool open(Json container) {
        if (levels_.size() == kMaxDepth) {
            return refuse("nested deeper than " + std::to_string(kMaxDepth));
        }
        levels_.push_back(Level{std::move(container), {}});
        return true;
    }

    bool close() {
        Json value = std::move(levels_.back().value);
        levels_.pop_back();
        return add(std::move(value));
    }

    bool refuse(std::string why) {
        what_ = std::move(why);
        place_.clear();
        for (const Level& level : levels_) {
            place_ = level.value.is_array() ? place_ + "/" + std::to_string(level.value.size())
                                            : join(place_, level.key);
        }
        return false;
    }

    Json root_;
    std::vector<Level> levels_;
    std::string what_ = "refused";
    std::string place_;
};

Error mismatch(const std::string& expected, const Json* found) {
    return usage_error("expected " + expected + ", found " +
                       (found != nullptr ? found->type_name() : "nothing"));
}

// Without their places: those are told only of what is wrong.
Result<std::string> as_string(const Json& value) {
    if (!value.is_string()) {
        return mismatch("a string", &value);
    }
    const auto& text = value.get_ref<const std::string&>();
    if (text.find('\0') != std::string::npos) {
        return usage_error("a string with a NUL byte");
    }
    return text;
}

Result<std::uint64_t> as_uint(const Json& value) {
    if (const auto* number = value.get_ptr<const Json::number_unsigned_t*>()) {
        return *number;
    }
    const auto* number = value.get_ptr<const Json::number_integer_t*>();
    if (number == nullptr || *number < 0) {
        return mismatch("a whole number of 0 or more", &value);
    }
    return static_cast<std::uint64_t>(*number);
}

Result<std::int64_t> as_integer(const Json& value) {
    constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
    if (const auto* number = value.get_ptr<const Json::number_unsigned_t*>()) {
        if (*number > kMax) {
            return mismatch("a 64-bit whole number", &value);
        }
        return static_cast<std::int64_t>(*number);
    }
    const auto* number = value.get_ptr<const Json::number_integer_t*>();
    if (number == nullptr) {
        return mismatch("a whole number", &value);
    }
    return *number;
}

Result<bool> as_boolean(const Json& value) {
    if (!value.is_boolean()) {
        return mismatch("true or false", &value);
    }
    return value.get_ref<const bool&>();
}

// The member, or nothing when it is absent or null.
const Json* find(const Json& object, const char* key) {
    const std::string_view wanted(
        key);  // the library's own search measures the key for each member
    for (const auto& [name, value] : object.get_ref<const Json::object_t&>()) {
        if (name == wanted) {
            return value.is_null() ? nullptr : &value;
        }
    }
    return nullptr;
}

template <typename T>
using Reader = Result<T> (*)(const Json&);

template <typename T>
Result<T> required(const JsonReader& reader,
                   const char* key,
                   Reader<T> read,
                   const char* expected) {
    const Json* member = find(reader.value(), key);
    auto value = member == nullptr ? Result<T>(mismatch(expected, nullptr)) : read(*member);
    if (!value) {
        return std::move(value).error().with_place(join(reader.pointer(), key));
    }
    return value;
}

template <typename T>
Result<std::optional<T>> optional(const JsonReader& reader, const char* key, Reader<T> read) {
    const Json* member = find(reader.value(), key);
    if (member == nullptr) {
        return std::optional<T>();
    }
    auto value = read(*member);
    if (!value) {
        return std::move(value).error().with_place(join(reader.pointer(), key));
    }
    return std::optional<T>(std::move(value).value());
}

}  // namespace

Result<Json> parse_json(std::string_view text, const std::string& name, std::size_t limit) {
    if (text.size() > limit) {
        return usage_error("parse json: larger than " + std::to_string(limit) + " bytes")
            .with_context(name);
    }
    // The library takes a NUL byte for the end of the text and would not see what follows.
    if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
        return usage_error("parse json: a NUL byte")
            .with_place("byte " + std::to_string(nul + 1))
            .with_context(name);
    }
    if (auto plain = parse_plain_json(text, kMaxDepth)) {
        return std::move(*plain);
    }
    try {
        Builder builder;
        if (!Json::sax_parse(text.begin(), text.end(), &builder)) {
            return builder.error().with_context(name);
        }
        return builder.take();
    } catch (const std::exception& error) {
        return usage_error(std::string("parse json: ") + error.what()).with_context(name);
    }
}

std::string dump_json(const Json& value, int indent) {
    return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Result<JsonReader> JsonReader::of(const Json& value, std::string pointer) {
    if (!value.is_object()) {
        return mismatch("an object", &value).with_place(pointer.empty() ? "/" : pointer);
    }
    return JsonReader(&value, std::move(pointer));
}

bool JsonReader::has(const char* key) const {
    return find(*value_, key) != nullptr;
}

Result<std::string> JsonReader::string(const char* key) const {
    return required<std::string>(*this, key, as_string, "a string");
}

Result<std::uint64_t> JsonReader::uint(const char* key) const {
    return required<std::uint64_t>(*this, key, as_uint, "a whole number of 0 or more");
}

Result<std::int64_t> JsonReader::integer(const char* key) const {
    return required<std::int64_t>(*this, key, as_integer, "a whole number");
}

Result<bool> JsonReader::boolean(const char* key) const {
    return required<bool>(*this, key, as_boolean, "true or false");
}

Result<std::vector<std::string>> JsonReader::strings(const char* key) const {
    std::vector<std::string> out;
    const Json* member = find(*value_, key);
    if (member == nullptr) {
        return out;
    }
    if (!member->is_array()) {
        return mismatch("an array of strings", member).with_place(join(pointer_, key));
    }
    out.reserve(member->size());
    for (const Json& item : *member) {
        auto text = as_string(item);
        if (!text) {
            return std::move(text).error().with_place(join(pointer_, key) + "/" +
                                                      std::to_string(out.size()));
        }
        out.push_back(std::move(text).value());
    }
    return out;
}

Result<std::map<std::string, std::string>> JsonReader::string_map(const char* key) const {
    std::map<std::string, std::string> out;
    const Json* member = find(*value_, key);
    if (member == nullptr) {
        return out;
    }
    if (!member->is_object()) {
        return mismatch("an object of strings", member).with_place(join(pointer_, key));
    }
    for (const auto& [name, item] : member->get_ref<const Json::object_t&>()) {
        auto text = name.find('\0') == std::string::npos
                        ? as_string(item)
                        : Result<std::string>(usage_error("a key with a NUL byte"));
        if (!text) {
            return std::move(text).error().with_place(join(join(pointer_, key), name));
        }
        out[name] = std::move(text).value();
    }
    return out;
}

Result<std::optional<std::string>> JsonReader::optional_string(const char* key) const {
    return optional<std::string>(*this, key, as_string);
}

Result<std::optional<std::uint64_t>> JsonReader::optional_uint(const char* key) const {
    return optional<std::uint64_t>(*this, key, as_uint);
}

Result<std::optional<std::int64_t>> JsonReader::optional_integer(const char* key) const {
    return optional<std::int64_t>(*this, key, as_integer);
}

Result<std::optional<bool>> JsonReader::optional_boolean(const char* key) const {
    return optional<bool>(*this, key, as_boolean);
}

Result<JsonReader> JsonReader::object(const char* key) const {
    static const Json empty = Json::object();
    const Json* member = find(*value_, key);
    return of(member == nullptr ? empty : *member, join(pointer_, key));
}

Result<std::vector<JsonReader>> JsonReader::objects(const char* key) const {
    std::vector<JsonReader> out;
    const Json* member = find(*value_, key);
    if (member == nullptr) {
        return out;
    }
    const auto place = join(pointer_, key);
    if (!member->is_array()) {
        return mismatch("an array of objects", member).with_place(place);
    }
    out.reserve(member->size());
    for (const Json& item : *member) {
        out.push_back(TRY(of(item, place + "/" + std::to_string(out.size()))));
    }
    return out;
}

}  // namespace warren::base
