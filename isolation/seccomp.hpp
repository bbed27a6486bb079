// System call filters: a default-deny allow-list per kind of guest, compiled by libseccomp, made small as
// a tree over ranges of numbers and cached by the content of the profile. seccomp(2); needs Linux 4.14
// (SECCOMP_RET_LOG, actions_avail).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <linux/filter.h>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace warren::isolation {

// Which allow-list. What is not allowed answers EPERM when the list knows it, and ENOSYS when it is
// younger than the list or gone from Linux, so that C libraries fall back.
enum class SeccompProfile : std::uint8_t {
    Machine,     // own init, mounts and namespaces inside its own user namespace
    Command,     // no mounting, no new namespaces
    Unconfined,  // no filter: a named choice
    File,        // a JSON profile in the containers format (defaultAction, architectures, syscalls)
    Oci,         // linux.seccomp of the OCI runtime specification 1.2, as JSON
};

struct SeccompConfig {
    SeccompProfile profile = SeccompProfile::Command;
    bool nesting = false;   // Machine only: what a container runtime inside needs on top
    std::string file_text;  // File: the profile's content. Oci: the JSON object itself
    // The guest's bounding set. Command: CAP_SYS_ADMIN opens mounts and namespaces. File: decides
    // its includes and excludes. Machine and Oci: of no account.
    std::uint64_t capabilities = 0;
    bool operator==(const SeccompConfig&) const = default;
};

// A finished program for seccomp(2) SECCOMP_SET_MODE_FILTER. Empty: no filter. A value.
struct SeccompProgram {
    std::vector<sock_filter> instructions;
    // Names in the profile that neither libseccomp nor we know; such calls get the default action.
    std::uint32_t skipped_names = 0;
    // For seccomp(2), complete: SECCOMP_FILTER_FLAG_*, with NEW_LISTENER when `listener`. Only Oci asks
    // for any.
    std::uint32_t filter_flags = 0;
    // Some call answers SECCOMP_RET_USER_NOTIF: seccomp(2) gives a listener's descriptor, which goes to
    // "listenerPath" of the profile.
    bool listener = false;
};

// Names the profile's content, the architecture and libseccomp's version: equal keys, equal
// programs.
[[nodiscard]] std::string seccomp_key(const SeccompConfig& config);
[[nodiscard]] base::Result<SeccompProgram> compile_seccomp(const SeccompConfig& config);
// Reads `<key>.bpf` in `cache_dir`, else compiles and stores it there, 0600. An entry that is damaged,
// of another profile, or that anybody but this user could have written is compiled anew; a cache
// that cannot be written is no error, and below 0 there is none. What is stored anew may push the oldest entries out:
// there are 128 at most, of 8 MiB together.
[[nodiscard]] base::Result<SeccompProgram> load_seccomp(const SeccompConfig& config, int cache_dir);
// Checks a profile file before anything is changed: every problem with its JSON place.
[[nodiscard]] base::Status check_seccomp_file(std::string_view text);
// The same for linux.seccomp of an OCI config; places lead with "/linux/seccomp". What is refused and
// why stands in seccomp_oci.hpp.
[[nodiscard]] base::Status check_seccomp_oci(std::string_view text);

}  // namespace warren::isolation
