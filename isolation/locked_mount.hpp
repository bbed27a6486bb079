// Attributes that hold against the guest's own root. A guest's mounts are made in its mount namespace, which its user
// namespace owns: with CAP_SYS_ADMIN in there it could take "read-only" off again. The kernel locks attributes when a
// mount namespace is copied for another user namespace (mount_namespaces(7), "Restrictions"): a helper process hangs
// the mount into a namespace of its own, copies that, and hands back a clone of the locked copy. Linux 5.12.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

namespace warren::isolation {

// Takes a detached mount (with what hangs below it) and returns a detached copy whose read-only, nosuid, nodev and
// noexec attributes nobody can remove. `mount` is used up. Costs two copies of the caller's mount namespace.
[[nodiscard]] base::Result<base::Fd> lock_mount(base::Fd mount);

}  // namespace warren::isolation
