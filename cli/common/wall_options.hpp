// WALLS: how a guest's isolation differs from the default, as create and run take it.
#pragma once

#include "base/result.hpp"
#include "cli/common/arguments.hpp"
#include "cli/common/option.hpp"
#include "netns/config.hpp"
#include "runtime/spec/guest_config.hpp"

namespace warren::cli {

extern const OptionGroup kWallsGroup;

struct Walls {
    spec::Security security;
    netns::NetworkConfig network;
};

// Reads the file of --seccomp and checks it. Errors name the option and the text.
[[nodiscard]] base::Result<Walls> parse_walls(const Arguments& arguments);

}  // namespace warren::cli
