// A container's state.json: what is read back must be written and read again to the same. And its id, which becomes a path.
#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "runtime/state/oci/record.hpp"
#include "tests/fuzz/target.hpp"

using warren::fuzz::require;
namespace oci = warren::state::oci;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = warren::fuzz::text_of(data, size);
    if (const auto id = oci::ContainerId::parse(text)) {
        require(id.value().str() == text && text.find('/') == std::string_view::npos,
                "an id is one step of a path");
    }
    const auto json = warren::base::parse_json(text, "input");
    if (!json) {
        (void)json.error().describe();
        return 0;
    }
    const auto first = oci::record_from_json(json.value());
    if (!first) {
        (void)first.error().describe();
        return 0;
    }
    const auto second = oci::record_from_json(oci::to_json(first.value()));
    require(second.has_value(), "a written record can be read");
    require(second.value() == first.value(), "a record read twice is the same");
    return 0;
}
