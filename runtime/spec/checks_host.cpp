// Checks of a guest against its host.
#include "runtime/spec/checks.hpp"

namespace warren::spec {

using base::ErrorKind;

void check_controllers(const GuestConfig& config, const HostCaps& host, Problems& problems) {
    if (const auto checked = cgroups::check_limits(host.cgroup, config.limits); !checked) {
        const auto& error = checked.error();
        problems.push_back({error.place(), error.what(), error.kind()});
    }
}

void check_namespaces(const GuestConfig& config, const HostCaps& host, Problems& problems) {
    const auto& security = config.security;
    if (security.users == Wall::Private && !host.user_namespaces) {
        problems.push_back({"--userns",
                            "this kernel has no user namespaces, or user.max_user_namespaces is 0; "
                            "raise it, or add --userns host to run with the host's user ids",
                            ErrorKind::Unsupported});
    }
    if (security.time == Wall::Private && !host.time_namespaces) {
        problems.push_back({"--time",
                            "this kernel has no time namespaces; add --time host to share the "
                            "host's clocks",
                            ErrorKind::Unsupported});
    }
}

void check_filter_support(const GuestConfig& config, const HostCaps& host, Problems& problems) {
    if (!config.security.seccomp_unconfined && !host.seccomp_filter) {
        problems.push_back({"--seccomp",
                            "this kernel has no system call filters (CONFIG_SECCOMP_FILTER); add "
                            "--seccomp unconfined to run without",
                            ErrorKind::Unsupported});
    }
}

void check_held_capabilities(const GuestConfig& config, const HostCaps& host, Problems& problems) {
    // A new user namespace starts with every capability over itself, whatever we hold.
    if (config.security.users == Wall::Private) {
        return;
    }
    for (const auto& name :
         isolation::capability_names(config.security.cap_add & ~host.capabilities)) {
        problems.push_back({"--cap-add",
                            name + " is not in our own bounding set; start warren with it",
                            ErrorKind::Unsupported});
    }
}

}  // namespace warren::spec
