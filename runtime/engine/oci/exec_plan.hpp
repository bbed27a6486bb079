// What exec runs, from its request and the container's config. Pure.
#pragma once

#include <string>

#include "base/result.hpp"
#include "runtime/engine/oci/engine.hpp"
#include "runtime/spec/oci/config.hpp"

namespace warren::engine::oci {

// By the flags: the container's own process with what they change. `terminal` is the flag's alone.
[[nodiscard]] base::Result<spec::oci::Process> process_of_flags(const ExecRequest& request,
                                                                const spec::oci::Process& process);

// The directory below the container's cgroup that --cgroup names; empty: not given. "a,b:SUB" and ":SUB" are the same as
// "SUB", since cgroup v2 has one tree; two different ones are refused.
[[nodiscard]] base::Result<std::string> cgroup_of_flags(const std::vector<std::string>& flags);

}  // namespace warren::engine::oci
