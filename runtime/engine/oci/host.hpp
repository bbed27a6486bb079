// What of the host a verb asks about.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "runtime/engine/oci/engine.hpp"

namespace warren::engine::oci {

// The security module is built in and on; SELinux with a policy.
[[nodiscard]] bool has_apparmor();
[[nodiscard]] bool has_selinux();
// AppArmor is known to have loaded no profile of this name; false where its list cannot be read.
[[nodiscard]] bool lacks_apparmor_profile(const std::string& profile);

// /proc/PID/mountinfo is sorted by when mounts were made, not by when they were attached: Linux 6.8.
[[nodiscard]] bool lists_mounts_by_age();

// We are in a user namespace other than the host's first.
[[nodiscard]] bool in_user_namespace();
// What no process of ours can have more than: the bounding set of capabilities(7).
[[nodiscard]] std::uint64_t bounding_capabilities();
// Without the host's own root: an ordinary user, or a user namespace's root.
[[nodiscard]] bool is_rootless(const Settings& settings);
// ROOT by the settings and the environment (XDG_RUNTIME_DIR), absolute.
[[nodiscard]] base::Result<std::string> runtime_root(const Settings& settings);

}  // namespace warren::engine::oci
