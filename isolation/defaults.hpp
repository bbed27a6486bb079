// The house's standing choices for a guest's inside: mounts, devices, masked and read-only paths,
// rlimits. Pure.
#pragma once

#include <string>
#include <vector>

#include "isolation/capabilities.hpp"
#include "isolation/types.hpp"

namespace warren::isolation {

// null zero full random urandom tty (nodes); ptmx and ptys, /dev/console's pty (rules only);
// /dev/net/tun for machines.
[[nodiscard]] std::vector<DeviceRule> default_devices(GuestKind kind);
// proc, sysfs (read-only), cgroup2 (rw for machines), devpts, shm, mqueue, /run and /run/lock for
// machines. /dev itself is a released descriptor and not in this list. `has_*` say which namespaces
// are private.
[[nodiscard]] std::vector<MountSpec> default_mounts(GuestKind kind, const NamespaceSet& namespaces);
// `host_users`: the guest has no user namespace of its own, so that its root owns what the host's
// root owns in procfs and sysfs; then the strict lists hold, whatever the kind, and nesting takes
// nothing away.
[[nodiscard]] std::vector<std::string> default_masked_paths(GuestKind kind,
                                                            bool nesting,
                                                            bool host_users = false);
[[nodiscard]] std::vector<std::string> default_readonly_paths(GuestKind kind,
                                                              bool nesting,
                                                              bool host_users = false);
[[nodiscard]] std::vector<Rlimit> default_rlimits(GuestKind kind);
// PATH, TERM when there is a terminal, HOME, container=warren for machines.
[[nodiscard]] std::vector<std::string> default_env(GuestKind kind, bool terminal);

}  // namespace warren::isolation
