// Keeping what a newer minor writer put into a file: members this version does not know. Pure.
#pragma once

#include "base/json.hpp"

namespace warren::state {

// The members of `found` that `known` has not, at any depth of objects; nulls and arrays' insides are not looked at.
[[nodiscard]] base::Json unknown_members(const base::Json& found, const base::Json& known);

// `value` with the members of `extra` that it has not itself.
[[nodiscard]] base::Json with_members(base::Json value, const base::Json& extra);

}  // namespace warren::state
