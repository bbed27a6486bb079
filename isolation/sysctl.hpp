// Kernel parameters by name, sysctl(8), and whose they are. Pure.
#pragma once

#include <optional>
#include <string>

#include "isolation/types.hpp"

namespace warren::isolation {

// "net/ipv4/ip_forward" of a key as sysctl(8) takes it: the first of '.' and '/' separates, the other one is part of a
// name. Checks nothing.
[[nodiscard]] std::string sysctl_path(const std::string& key);

// Which namespace decides over the parameter at such a path; what none does is the host's.
[[nodiscard]] std::optional<Namespace> sysctl_namespace(const std::string& path);

}  // namespace warren::isolation
