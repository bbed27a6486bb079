#include "runtime/state/extra.hpp"

#include <nlohmann/json.hpp>

namespace warren::state {

using base::Json;

Json unknown_members(const Json& found, const Json& known) {
    Json extra = Json::object();
    for (const auto& [key, value] : found.items()) {
        const auto same = known.find(key);
        if (same == known.end()) {
            if (!value.is_null()) {
                extra[key] = value;
            }
        } else if (value.is_object() && same->is_object()) {
            auto inner = unknown_members(value, *same);
            if (!inner.empty()) {
                extra[key] = std::move(inner);
            }
        }
    }
    return extra;
}

Json with_members(Json value, const Json& extra) {
    if (!value.is_object() || !extra.is_object()) {
        return value;
    }
    for (const auto& [key, item] : extra.items()) {
        const auto same = value.find(key);
        if (same == value.end()) {
            value[key] = item;
        } else {
            *same = with_members(std::move(*same), item);
        }
    }
    return value;
}

}  // namespace warren::state
