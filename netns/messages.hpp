// Requests to rtnetlink(7) as prebuilt bytes. Whoever is inside the network namespace
// sends them: the child of a launch, which must not build anything itself.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace warren::netns {

// One complete request, asking for an acknowledgement (NLM_F_ACK). A value.
struct Message {
    std::vector<std::byte> bytes;
    std::string purpose;  // "set lo up", for the error text
};

// Every new network namespace has `lo` at index 1, down.
[[nodiscard]] base::Result<Message> loopback_up();

}  // namespace warren::netns
