#include "runtime/spec/oci/reading.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/units.hpp"
#include "runtime/spec/oci/parse.hpp"

namespace warren::spec::oci {

using base::Json;
using base::JsonReader;
using base::Result;
using base::Status;

namespace {

std::string range_text(const std::string& min, const std::string& max, const std::string& found) {
    return "expected a whole number from " + min + " to " + max + ", found " + found;
}

Result<std::uint64_t> within(std::uint64_t value,
                             const JsonReader& reader,
                             const char* key,
                             std::uint64_t max) {
    if (value > max) {
        return base::usage_error(range_text("0", std::to_string(max), std::to_string(value)))
            .with_place(place_of(reader, key));
    }
    return value;
}

// uid_map of the kernel.
constexpr std::size_t kMaxRanges = 340;

Result<std::vector<isolation::IdRange>> read_ranges(const JsonReader& reader, const char* key) {
    std::vector<isolation::IdRange> ranges;
    const auto entries = TRY(reader.objects(key));
    if (entries.size() > kMaxRanges) {
        return base::usage_error("more than " + std::to_string(kMaxRanges) + " ranges of ids")
            .with_place(place_of(reader, key));
    }
    for (const auto& entry : entries) {
        isolation::IdRange range;
        range.inside = static_cast<std::uint32_t>(TRY(uint_up_to(entry, "containerID", kMaxId)));
        range.outside = static_cast<std::uint32_t>(TRY(uint_up_to(entry, "hostID", kMaxId)));
        range.count = static_cast<std::uint32_t>(TRY(uint_up_to(entry, "size", kMaxId + 1)));
        if (range.count == 0 || range.count > kMaxId + 1 - std::max(range.inside, range.outside)) {
            return base::usage_error("no such range of ids: " + std::to_string(range.count) +
                                     " from " + std::to_string(range.inside) + " and " +
                                     std::to_string(range.outside))
                .with_place(place_of(entry, "size"));
        }
        ranges.push_back(range);
    }
    return ranges;
}

}  // namespace

std::string place_of(const JsonReader& reader, std::string_view key) {
    std::string out = reader.pointer() + "/";
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

std::string place_of(const JsonReader& reader, std::string_view key, std::size_t index) {
    return place_of(reader, key) + "/" + std::to_string(index);
}

Result<std::optional<JsonReader>> section(const JsonReader& reader, const char* key) {
    auto object = TRY(reader.object(key));
    if (object.value().empty()) {
        return std::optional<JsonReader>();
    }
    return std::optional<JsonReader>(std::move(object));
}

Result<std::uint64_t> uint_up_to(const JsonReader& reader, const char* key, std::uint64_t max) {
    return within(TRY(reader.uint(key)), reader, key, max);
}

Result<std::optional<std::uint64_t>> optional_uint_up_to(const JsonReader& reader,
                                                         const char* key,
                                                         std::uint64_t max) {
    const auto value = TRY(reader.optional_uint(key));
    if (!value) {
        return std::optional<std::uint64_t>();
    }
    return std::optional<std::uint64_t>(TRY(within(*value, reader, key, max)));
}

Result<std::optional<std::int64_t>> optional_integer_within(const JsonReader& reader,
                                                            const char* key,
                                                            std::int64_t min,
                                                            std::int64_t max) {
    const auto value = TRY(reader.optional_integer(key));
    if (value && (*value < min || *value > max)) {
        return base::usage_error(
                   range_text(std::to_string(min), std::to_string(max), std::to_string(*value)))
            .with_place(place_of(reader, key));
    }
    return value;
}

Result<std::string> text(const JsonReader& reader, const char* key) {
    return TRY(reader.optional_string(key)).value_or("");
}

Result<std::string> line(const JsonReader& reader, const char* key) {
    auto value = TRY(text(reader, key));
    TRY(refuse_control(value, place_of(reader, key)));
    return value;
}

Result<bool> flag(const JsonReader& reader, const char* key) {
    return TRY(reader.optional_boolean(key)).value_or(false);
}

Result<std::vector<std::uint32_t>> ids(const JsonReader& reader, const char* key) {
    constexpr std::size_t kMaxGroups = 65536;  // NGROUPS_MAX
    std::vector<std::uint32_t> out;
    if (!reader.has(key)) {
        return out;
    }
    const Json& array = reader.value().at(key);
    if (!array.is_array() || array.size() > kMaxGroups) {
        return base::usage_error("expected an array of at most " + std::to_string(kMaxGroups) +
                                 " ids")
            .with_place(place_of(reader, key));
    }
    out.reserve(array.size());
    for (const Json& item : array) {
        const auto* id = item.get_ptr<const Json::number_unsigned_t*>();
        if (id == nullptr || *id > kMaxId) {
            return base::usage_error("expected an id from 0 to " + std::to_string(kMaxId))
                .with_place(place_of(reader, key, out.size()));
        }
        out.push_back(static_cast<std::uint32_t>(*id));
    }
    return out;
}

Status refuse_control(std::string_view text, const std::string& place) {
    constexpr unsigned char kFirstPrintable = 0x20;
    constexpr unsigned char kDelete = 0x7f;
    const bool bad = std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < kFirstPrintable || byte == kDelete;
    });
    if (bad) {
        return base::usage_error("a newline or another control character in \"" +
                                 std::string(text) + "\"")
            .with_place(place);
    }
    return base::ok();
}

Result<std::vector<NamedReader>> named_objects(const JsonReader& reader, const char* key) {
    std::vector<NamedReader> out;
    const auto object = TRY(reader.object(key));
    for (const auto& [name, value] : object.value().get_ref<const Json::object_t&>()) {
        const auto place = place_of(object, name);
        TRY(refuse_control(name, place));
        out.push_back({name, TRY(JsonReader::of(value, place))});
    }
    return out;
}

Result<isolation::IdMap> read_id_map(const JsonReader& reader) {
    isolation::IdMap map;
    map.uids = TRY(read_ranges(reader, "uidMappings"));
    map.gids = TRY(read_ranges(reader, "gidMappings"));
    return map;
}

Result<std::vector<std::uint32_t>> parse_number_list(std::string_view text, std::uint32_t highest) {
    // First and last. A text can name the same range a million times.
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
    for (std::size_t start = 0; start <= text.size();) {
        const auto end = std::min(text.find(',', start), text.size());
        const auto part = text.substr(start, end - start);
        const auto dash = part.find('-');
        const auto first = base::parse_uint(part.substr(0, dash), 0, highest);
        const auto last =
            dash == std::string_view::npos
                ? first
                : base::parse_uint(part.substr(dash + 1), first ? first.value() : 0, highest);
        if (!first || !last) {
            return base::usage_error("expected a list like \"0-3,7\", found \"" +
                                     std::string(text) + "\"");
        }
        ranges.emplace_back(first.value(), last.value());
        start = end + 1;
    }
    std::sort(ranges.begin(), ranges.end());
    std::vector<std::uint32_t> out;
    std::uint64_t next = 0;
    for (const auto& [first, last] : ranges) {
        for (next = std::max(next, first); next <= last; ++next) {
            out.push_back(static_cast<std::uint32_t>(next));
        }
    }
    return out;
}

}  // namespace warren::spec::oci
