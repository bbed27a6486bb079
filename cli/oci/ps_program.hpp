// The host's ps(1), for the table of `ps`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/result.hpp"

namespace warren::cli::oci {

// Runs ps with these options ("-ef" when there are none) and gives what it printed.
[[nodiscard]] base::Result<std::string> run_ps(const std::vector<std::string>& options);
// The title and the lines of these processes. Pure. An error when no title is PID: then the options asked for other
// columns.
[[nodiscard]] base::Result<std::string> select_processes(std::string_view output,
                                                         const std::vector<pid_t>& pids);

}  // namespace warren::cli::oci
