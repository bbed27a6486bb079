// What the programs exit with: one table.
//
//   0    done                                    run, exec and enter give the command's own status, and
//   1    failed                                  125  warren itself failed (usage too: 2 may be the command's own)
//   2    usage: a flag, size, name or image      126  the command cannot be invoked
//        that is wrong or unknown                127  the command was not found
//                                                128+N  it was killed by signal N
#pragma once

#include "base/result.hpp"

namespace warren::cli {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitOurs = 125;
inline constexpr int kExitCannotInvoke = 126;
inline constexpr int kExitNotFound = 127;

[[nodiscard]] int exit_code(const base::Error& error);
// For verbs that pass a command's status on.
[[nodiscard]] int command_exit_code(const base::Error& error);

}  // namespace warren::cli
