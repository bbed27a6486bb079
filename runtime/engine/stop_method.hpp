// How each init wants to be asked to power off. Pure.
#pragma once

#include <string>
#include <vector>

#include "runtime/spec/guest_config.hpp"

namespace warren::engine {

// Either a signal for the first process or a command to run inside; a command that cannot run falls back to the signal.
struct StopMethod {
    int signal_number = 0;
    std::vector<std::string> command;
    bool operator==(const StopMethod&) const = default;
};

[[nodiscard]] StopMethod stop_method(const spec::GuestConfig& config);

}  // namespace warren::engine
