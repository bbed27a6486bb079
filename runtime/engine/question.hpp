// Runs a short command inside a guest and takes its answer.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "runtime/engine/context.hpp"
#include "runtime/state/records.hpp"

namespace warren::engine {

struct Answer {
    int exit_code = 0;
    std::string text;  // standard output, at most 4 KiB, without the last newline
};

// `run` is entered, of which `config` says what is running. The command is killed when it has not ended by the deadline.
[[nodiscard]] base::Result<Answer> ask(const Context& context,
                                       const state::RunRecord& run,
                                       const spec::GuestConfig& config,
                                       const std::vector<std::string>& command,
                                       std::chrono::steady_clock::time_point deadline);

}  // namespace warren::engine
