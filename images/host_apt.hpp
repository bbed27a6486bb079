// What the host's own apt knows that a build wants to know: its mirrors and its proxy. Everything
// is optional: a host may have no apt.
#pragma once

#include <string>
#include <vector>

namespace warren::images {

// What the host's sources are: lines of "LABEL ADDRESS" for parse_index_targets().
[[nodiscard]] std::string index_targets();

// "Acquire::http::Proxy \"...\"": the host's proxies, as apt options.
[[nodiscard]] std::vector<std::string> proxy_options();

// "amd64": dpkg's name for this machine.
[[nodiscard]] std::string host_architecture();

}  // namespace warren::images
