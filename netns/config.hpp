// What a guest's network is. A value; only data.
#pragma once

#include <cstdint>

namespace warren::netns {

enum class Mode : std::uint8_t {
    Private,  // a namespace of its own with `lo` up and no address from outside
    Host,     // the host's own namespace: a weaker wall, a named choice
};

struct NetworkConfig {
    Mode mode = Mode::Private;
    bool operator==(const NetworkConfig&) const = default;
};

}  // namespace warren::netns
