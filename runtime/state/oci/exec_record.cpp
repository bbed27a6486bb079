#include "runtime/state/oci/exec_record.hpp"

#include <charconv>
#include <limits>
#include <string_view>

#include <nlohmann/json.hpp>

namespace warren::state::oci {

namespace {

using base::Json;
using base::JsonReader;
using base::Result;

constexpr std::uint64_t kVersion = 1;
// An instruction: code (4), jt (2), jf (2), k (8).
constexpr std::size_t kDigits = 16;

std::string to_text(const std::vector<sock_filter>& instructions) {
    constexpr std::string_view kHex = "0123456789abcdef";
    constexpr unsigned kDigitBits = 4;
    std::string out;
    out.reserve(instructions.size() * kDigits);
    for (const auto& one : instructions) {
        const auto value = std::uint64_t{one.code} << 48U | std::uint64_t{one.jt} << 40U |
                           std::uint64_t{one.jf} << 32U | one.k;
        for (unsigned left = kDigits; left > 0; --left) {
            out += kHex[value >> ((left - 1) * kDigitBits) & 0xfU];
        }
    }
    return out;
}

Result<std::vector<sock_filter>> instructions(std::string_view text, const std::string& place) {
    std::vector<sock_filter> out;
    if (text.empty() || text.size() % kDigits != 0 || text.size() / kDigits > BPF_MAXINSNS) {
        return base::usage_error("no program").with_place(place);
    }
    out.reserve(text.size() / kDigits);
    for (; !text.empty(); text.remove_prefix(kDigits)) {
        std::uint64_t value = 0;
        const char* const end = text.data() + kDigits;
        const auto read = std::from_chars(text.data(), end, value, 16);
        if (read.ec != std::errc() || read.ptr != end) {
            return base::usage_error("no program").with_place(place);
        }
        out.push_back({static_cast<std::uint16_t>(value >> 48U),
                       static_cast<std::uint8_t>(value >> 40U),
                       static_cast<std::uint8_t>(value >> 32U),
                       static_cast<std::uint32_t>(value)});
    }
    return out;
}

Result<std::uint32_t> number(const JsonReader& reader, const char* key) {
    const auto value = TRY(reader.uint(key));
    if (value > std::numeric_limits<std::uint32_t>::max()) {
        return base::usage_error("too large").with_place(reader.pointer() + "/" + key);
    }
    return static_cast<std::uint32_t>(value);
}

Result<isolation::SeccompProgram> read_filter(const JsonReader& record) {
    isolation::SeccompProgram filter;
    if (record.has("filter")) {
        const auto reader = TRY(record.object("filter"));
        filter.filter_flags = TRY(number(reader, "flags"));
        filter.instructions =
            TRY(instructions(TRY(reader.string("program")), reader.pointer() + "/program"));
    }
    return filter;
}

}  // namespace

Json to_json(const ExecRecord& record) {
    Json out = Json::object();
    out["schema_version"] = kVersion;
    if (!record.process.empty()) {
        out["process"] = record.process;
    }
    out["mount_namespace"] = record.mount_namespace;
    if (record.personality) {
        out["personality"] = *record.personality;
    }
    if (!record.filter.instructions.empty()) {
        auto& filter = out["filter"] = Json::object();
        filter["flags"] = record.filter.filter_flags;
        filter["program"] = to_text(record.filter.instructions);
    }
    return out;
}

Result<std::optional<ExecRecord>> exec_record_from_json(const Json& json) {
    const auto reader = TRY(JsonReader::of(json));
    const auto version = TRY(reader.uint("schema_version"));
    if (version == 0) {
        return base::usage_error("0 is no version").with_place("/schema_version");
    }
    if (version > kVersion) {
        return std::optional<ExecRecord>();
    }
    ExecRecord record;
    record.process = TRY(reader.optional_string("process")).value_or("");
    record.mount_namespace = TRY(reader.boolean("mount_namespace"));
    if (reader.has("personality")) {
        record.personality = TRY(number(reader, "personality"));
    }
    record.filter = TRY(read_filter(reader));
    return std::optional(std::move(record));
}

}  // namespace warren::state::oci
