// guest.json, NAME.json and last_run.json: what is read back must be written and read again to the same.
#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "base/json_plain.hpp"
#include "runtime/state/records.hpp"
#include "tests/fuzz/target.hpp"

namespace {

using warren::base::Json;
using warren::base::Result;

template <typename Record>
void round_trip(const Json& json, Result<Record> (*read)(const Json&)) {
    const Result<Record> first = read(json);
    if (!first) {
        (void)first.error().describe();
        return;
    }
    const Json written = warren::state::to_json(first.value());
    const Result<Record> second = read(written);
    warren::fuzz::require(second.has_value(), "a written record can be read");
    warren::fuzz::require(warren::state::to_json(second.value()) == written,
                          "a record read twice is the same");
}

// The quick way to read JSON must not take what the library does not, nor take it for something else.
void agrees(std::string_view text) {
    const auto plain = warren::base::parse_plain_json(text, 64);
    if (plain) {
        const Json whole = Json::parse(text, nullptr, false);
        warren::fuzz::require(*plain == whole, "the quick way reads what the library reads");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    agrees(warren::fuzz::text_of(data, size));
    const auto json = warren::base::parse_json(warren::fuzz::text_of(data, size), "input");
    if (!json) {
        (void)json.error().describe();
        return 0;
    }
    round_trip<warren::state::GuestRecord>(json.value(), warren::state::guest_record_from_json);
    round_trip<warren::state::RunRecord>(json.value(), warren::state::run_record_from_json);
    round_trip<warren::state::LastRun>(json.value(), warren::state::last_run_from_json);
    return 0;
}
