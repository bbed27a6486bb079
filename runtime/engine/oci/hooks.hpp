// Hooks that run on the host's side: prestart, createRuntime, poststart, poststop. The child runs the other two.
#pragma once

#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "runtime/spec/oci/config.hpp"

namespace warren::engine::oci {

// One after the other, each with `state` on its standard input and in `directory`; stops at the first that cannot be
// started, exits with anything but 0, or takes too long. `at` is "/hooks/prestart": the error's place is the hook's own.
[[nodiscard]] base::Status run_hooks(const std::vector<spec::oci::Hook>& hooks,
                                     const std::string& at,
                                     const std::string& state,
                                     const std::string& directory);

// poststart and poststop: all of them run, and failures are warnings.
void run_late_hooks(const std::vector<spec::oci::Hook>& hooks,
                    const std::string& at,
                    const std::string& state,
                    const std::string& directory,
                    const base::Log& log);

}  // namespace warren::engine::oci
