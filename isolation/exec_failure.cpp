#include "isolation/exec_failure.hpp"

#include "base/result.hpp"

namespace warren::isolation {

ExecFailureLines exec_failure_lines(const std::string& program) {
    const std::string what = "exec \"" + base::printable(program) + "\": ";
    const bool is_path = program.find('/') != std::string::npos;
    return {what + (is_path ? "no such file or directory" : "executable file not found in $PATH"),
            what + "permission denied",
            what + "cannot be executed"};
}

}  // namespace warren::isolation
