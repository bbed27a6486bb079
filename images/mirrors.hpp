// Where a distribution's packages come from. warren knows no host names: they are the
// administrator's, the host's own apt's, or those of the lists that python-apt-common keeps.
#pragma once

#include <string>

#include "base/result.hpp"
#include "images/distribution.hpp"

namespace warren::images {

// The mirrors in one of python-apt's lists (/usr/share/python-apt/templates/*.info), for any release
// of the distribution; empty strings for what is not there.
[[nodiscard]] Mirrors parse_mirror_list(const std::string& text, const std::string& architecture);

// The mirrors in the output of `apt-get indextargets --format "$(LABEL) $(REPO_URI)"`; empty
// strings for what is not there.
[[nodiscard]] Mirrors parse_index_targets(const std::string& text, Family family);

// In this order: WARREN_DEBIAN_MIRROR or WARREN_UBUNTU_MIRROR (and ..._SECURITY_MIRROR), what the
// host's sources say, python-apt's lists. Unsupported, with the remedy, when none of them knows one.
[[nodiscard]] base::Result<Mirrors> choose_mirrors(Family family, const std::string& architecture);

// What choose_mirrors() makes of what was found: complete, and fit for sources.list(5).
[[nodiscard]] base::Result<Mirrors> check_mirrors(Family family, Mirrors found);

// The same without user names and passwords: what stands in an image is read by everybody who has a
// guest of it.
[[nodiscard]] Mirrors public_mirrors(const Mirrors& mirrors);

}  // namespace warren::images
