// What run, exec and enter share after the command has ended.
#pragma once

#include <string_view>

#include "cli/vps/app.hpp"

namespace warren::cli {

// Notes go to standard error, the name of a detached guest to standard output. The command's exit code.
[[nodiscard]] int report_run(App& app,
                             std::string_view verb,
                             const engine::RunOutcome& outcome,
                             bool print_name);

}  // namespace warren::cli
