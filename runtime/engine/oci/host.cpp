#include "runtime/engine/oci/host.hpp"

#include <cstdlib>
#include <string_view>
#include <utility>

#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "base/kernel_release.hpp"
#include "runtime/engine/oci/paths.hpp"
#include "runtime/state/oci/store.hpp"

namespace warren::engine::oci {

bool has_apparmor() {
    const auto text = base::read_file_at(AT_FDCWD, "/sys/module/apparmor/parameters/enabled");
    return text && text.value().starts_with('Y');
}

bool lacks_apparmor_profile(const std::string& profile) {
    // Names with a namespace or of several profiles at once do not stand in the list as they are written.
    const bool plain = profile.find("//") == std::string::npos && !profile.starts_with(':');
    if (profile.empty() || profile == "unconfined" || !plain) {
        return false;
    }
    constexpr std::size_t kListMax = 1U << 20;
    const auto text =
        base::read_file_at(AT_FDCWD, "/sys/kernel/security/apparmor/profiles", kListMax);
    return text && ("\n" + text.value()).find("\n" + profile + " (") == std::string::npos;
}

bool has_selinux() {
    if (::access("/sys/fs/selinux/enforce", F_OK) != 0) {
        return false;
    }
    // Without a policy all are "kernel", and nothing else can be set; libselinux calls that off as well.
    const auto label = base::read_file_at(AT_FDCWD, "/proc/self/attr/current");
    return label && std::string_view(label.value().c_str()) != "kernel";
}

bool lists_mounts_by_age() {
    return base::running_kernel() >= base::KernelRelease{6, 8};
}

bool in_user_namespace() {
    const auto text = base::read_file_at(AT_FDCWD, "/proc/self/uid_map");
    // The first namespace maps all ids onto themselves.
    return text && text.value().find("4294967295") == std::string::npos;
}

std::uint64_t bounding_capabilities() {
    std::uint64_t mask = 0;
    for (unsigned long capability = 0; capability < 64; ++capability) {
        const int held = ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
        if (held < 0) {
            break;  // past the last one that this kernel knows
        }
        mask |= std::uint64_t{held == 1} << capability;
    }
    return mask;
}

bool is_rootless(const Settings& settings) {
    if (settings.rootless != Rootless::Auto) {
        return settings.rootless == Rootless::Yes;
    }
    return ::geteuid() != 0 || in_user_namespace();
}

base::Result<std::string> runtime_root(const Settings& settings) {
    if (!settings.root.empty()) {
        return absolute_path(settings.root);
    }
    const char* user_dir = std::getenv("XDG_RUNTIME_DIR");
    bool own = ::geteuid() != 0;
    if (!own && user_dir != nullptr && in_user_namespace()) {
        // Root of a user namespace that an ordinary user made; a container's own root has no such variables.
        const char* user = std::getenv("USER");
        own = user != nullptr && *user != '\0' && std::string_view(user) != "root";
    }
    return state::oci::default_root(own, user_dir);
}

}  // namespace warren::engine::oci
