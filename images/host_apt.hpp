// What the host's own apt knows that a build wants to know: its mirrors and its proxy. Everything
// is optional: a host may have no apt.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "images/distribution.hpp"

namespace warren::images {

// In this order: WARREN_DEBIAN_MIRROR or WARREN_UBUNTU_MIRROR (and ..._SECURITY_MIRROR), what the
// host's sources say, the distribution's own.
[[nodiscard]] Mirrors choose_mirrors(Family family, const std::string& architecture);

// The mirrors in the output of `apt-get indextargets --format "$(LABEL) $(REPO_URI)"`; empty
// strings for what is not there.
[[nodiscard]] Mirrors parse_index_targets(const std::string& text, Family family);

// "Acquire::http::Proxy \"...\"": the host's proxies, as apt options.
[[nodiscard]] std::vector<std::string> proxy_options();

// "amd64": dpkg's name for this machine.
[[nodiscard]] std::string host_architecture();

}  // namespace warren::images
