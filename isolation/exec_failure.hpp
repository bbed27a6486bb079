// What is said of a program that cannot be run, in the words by which engines tell 127 from 126.
#pragma once

#include <string>

namespace warren::isolation {

// Without a newline.
struct ExecFailureLines {
    std::string missing;  // ENOENT
    std::string denied;   // EACCES
    std::string failed;   // anything else
};

// `program` as it was asked for: argv[0].
[[nodiscard]] ExecFailureLines exec_failure_lines(const std::string& program);

}  // namespace warren::isolation
