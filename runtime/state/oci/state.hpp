// The JSON of the spec's state (runtime.md "State") and of the container process state
// (config-linux.md), as `state` prints them, hooks read them on standard input, and seccomp agents
// get them. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/json.hpp"
#include "base/result.hpp"

namespace warren::state::oci {

struct State {
    std::string oci_version;
    std::string id;
    std::string status;  // creating, created, running, stopped; and paused
    pid_t pid = 0;       // as the reader sees it; left out when 0 (allowed when stopped)
    std::string bundle;  // absolute
    std::map<std::string, std::string> annotations;  // left out when empty
    bool operator==(const State&) const = default;
};

// What goes along with a descriptor that a seccomp agent gets.
struct ContainerProcessState {
    std::string oci_version;
    std::vector<std::string> fds;  // names of the descriptors, in their order: "seccompFd"
    pid_t pid = 0;
    std::string metadata;  // left out when empty
    State state;
    bool operator==(const ContainerProcessState&) const = default;
};

[[nodiscard]] base::Json to_json(const State& state);
[[nodiscard]] base::Json to_json(const ContainerProcessState& state);

}  // namespace warren::state::oci
