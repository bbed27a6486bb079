// Runs a program of the host: hooks, newuidmap, criu. No shell, no inherited descriptors but 0, 1 and 2.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/pidref.hpp"
#include "base/result.hpp"

namespace warren::engine::oci {

struct Program {
    std::string path;                    // with '/': as it is; without: looked up in our PATH
    std::vector<std::string> arguments;  // argv, [0] included
    std::optional<std::vector<std::string>> env;  // absent: ours
    std::string directory;                        // empty: ours
    std::string input;                            // standard input, whole
    std::vector<int> kept;  // descriptors that it gets under their own numbers
    std::optional<std::chrono::milliseconds> timeout;  // then it is killed
};

struct Finished {
    base::ExitStatus status;
    bool timed_out = false;
    std::string output;  // the last 2 KiB of standard output and error together
};

// Signals are at their defaults and none is blocked in the program. What it leaves running in the background is not
// waited for. An error is one of starting: errno ENOENT and the like for a program that is not there.
[[nodiscard]] base::Result<Finished> run_program(const Program& program);

// "exited with status 1: no such network", "was killed by signal 9", "took longer than its timeout".
[[nodiscard]] std::string words(const Finished& finished);

}  // namespace warren::engine::oci
