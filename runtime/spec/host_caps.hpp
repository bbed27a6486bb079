// What this host can do, probed once per process and handed down as a value.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "cgroups/host.hpp"

namespace warren::spec {

struct HostCaps {
    cgroups::Host cgroup;
    std::string kernel_release;
    // execve(2) puts a process into the time namespace it has unshared (Linux 6.2; before only a fork does).
    bool exec_enters_time = false;
    bool is_root = false;          // effective uid 0 with CAP_SYS_ADMIN
    bool user_namespaces = false;  // /proc/self/ns/user, user.max_user_namespaces > 0
    bool time_namespaces = false;  // /proc/self/ns/time
    bool seccomp_filter = false;
    std::uint64_t capabilities = 0;  // our own bounding set
};

// Reads procfs; cheap (no fork, no mount). `root` is "/" but in tests.
[[nodiscard]] base::Result<HostCaps> probe_host_caps(const std::string& root = "/");

}  // namespace warren::spec
