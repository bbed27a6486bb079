// A container without a mount namespace: its root and all in it hang in the host's tree, and stay when it ends.
#pragma once

#include <string>

#include "base/result.hpp"

namespace warren::engine::oci {

// Notes in the container's directory what is at the root's place before the container's own comes there.
[[nodiscard]] base::Status remember_host_root(int dir, const std::string& rootfs);
// Takes off what came there since, with all below it. Nothing noted, or nothing there, is success.
[[nodiscard]] base::Status unmount_host_root(int dir, const std::string& rootfs);

}  // namespace warren::engine::oci
