#include "isolation/plan_check.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <sys/resource.h>

#include "isolation/recipe_builder.hpp"

namespace warren::isolation {

using base::Status;
using base::usage_error;

Status check_text(const std::string& where, const std::string& text) {
    if (text.find('\0') != std::string::npos) {
        return usage_error(where + ": contains a zero byte");
    }
    return base::ok();
}

Status check_path(const std::string& where, const std::string& path) {
    TRY(check_text(where, path));
    if (!path.starts_with('/')) {
        return usage_error(where + ": not an absolute path: " + path);
    }
    const auto components = path_components(path);
    if (std::find(components.begin(), components.end(), "..") != components.end()) {
        return usage_error(where + ": \"..\" in a path: " + path);
    }
    return base::ok();
}

Status check_paths(const char* list, const std::vector<std::string>& paths) {
    for (std::size_t i = 0; i < paths.size(); ++i) {
        TRY(check_path(std::string(list) + '[' + std::to_string(i) + ']', paths[i]));
    }
    return base::ok();
}

Status check_texts(const char* list, const std::vector<std::string>& texts) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
        TRY(check_text(std::string(list) + '[' + std::to_string(i) + ']', texts[i]));
    }
    return base::ok();
}

namespace {

constexpr std::size_t kGroupLimit = 65536;  // NGROUPS_MAX
constexpr std::uint32_t kFileSystemLimit =
    static_cast<std::uint32_t>(child::kNullSlot) - child::kReleasedSlots;

Status check_mount(const std::string& where, const MountSpec& mount) {
    TRY(check_path(where, mount.target));
    if (path_components(mount.target).empty()) {
        return usage_error(where + ": cannot mount on the root itself");
    }
    if (mount.kind == MountSpec::Kind::Bind) {
        if (mount.slot < kFirstBindSlot || mount.slot >= kFirstBindSlot + kBindLimit) {
            return usage_error(where + ": no such slot: " + std::to_string(mount.slot));
        }
        return base::ok();
    }
    TRY(check_text(where, mount.fs_type));
    for (const auto& [key, value] : mount.options) {
        TRY(check_text(where, key));
        TRY(check_text(where, value));
    }
    return base::ok();
}

Status check_mounts(const std::vector<MountSpec>& mounts) {
    std::set<std::uint32_t> slots;
    std::uint32_t file_systems = 0;
    for (std::size_t i = 0; i < mounts.size(); ++i) {
        const std::string where = "mounts[" + std::to_string(i) + ']';
        TRY(check_mount(where, mounts[i]));
        if (mounts[i].kind == MountSpec::Kind::FileSystem) {
            ++file_systems;
        } else if (!slots.insert(mounts[i].slot).second) {
            return usage_error(where + ": slot " + std::to_string(mounts[i].slot) + " used twice");
        }
        if (file_systems > kFileSystemLimit) {
            return usage_error(where + ": more than " + std::to_string(kFileSystemLimit) +
                               " file systems");
        }
    }
    return base::ok();
}

Status check_rlimits(const std::vector<Rlimit>& rlimits) {
    for (std::size_t i = 0; i < rlimits.size(); ++i) {
        const auto& limit = rlimits[i];
        const std::string where = "rlimits[" + std::to_string(i) + ']';
        if (limit.resource < 0 || limit.resource >= static_cast<int>(RLIM_NLIMITS)) {
            return usage_error(where + ": no such resource: " + std::to_string(limit.resource));
        }
        if (limit.soft > limit.hard) {
            return usage_error(where + ": the soft limit is above the hard limit");
        }
    }
    return base::ok();
}

Status check_capabilities(const CapSets& caps) {
    if ((caps.effective & ~caps.permitted) != 0) {
        return usage_error("capabilities: effective ones that are not permitted");
    }
    if ((caps.ambient & ~(caps.permitted & caps.inheritable)) != 0) {
        return usage_error("capabilities: ambient ones that are not permitted and inheritable");
    }
    return base::ok();
}

}  // namespace

Status check_guest(const GuestSpec& spec) {
    const auto& namespaces = spec.namespaces;
    if (!namespaces.has(Namespace::Mount)) {
        return usage_error("namespaces: a guest needs a mount namespace of its own");
    }
    if (spec.machine && !namespaces.has(Namespace::Pid)) {
        return usage_error("namespaces: a machine needs a pid namespace of its own");
    }
    if (!spec.hostname.empty() && !namespaces.has(Namespace::Uts)) {
        return usage_error("hostname: needs a uts namespace of the guest's own");
    }
    if (!spec.netlink_requests.empty() && !namespaces.has(Namespace::Net)) {
        return usage_error("network: needs a net namespace of the guest's own");
    }
    TRY(check_text("hostname", spec.hostname));
    if (spec.hostname.size() > kHostnameLimit) {
        return usage_error("hostname: longer than " + std::to_string(kHostnameLimit) + " bytes");
    }
    TRY(check_mounts(spec.mounts));
    TRY(check_paths("masked paths", spec.masked_paths));
    return check_paths("readonly paths", spec.readonly_paths);
}

Status check_process(const ProcessSpec& process, const SeccompProgram& filter) {
    if (process.argv.empty() || process.argv.front().empty()) {
        return usage_error("process: no program to run");
    }
    TRY(check_texts("args", process.argv));
    TRY(check_texts("env", process.env));
    TRY(check_text("cwd", process.cwd));
    if (!process.cwd.starts_with('/')) {
        return usage_error("cwd: not an absolute path: " + process.cwd);
    }
    if (process.additional_gids.size() > kGroupLimit) {
        return usage_error("process: more than " + std::to_string(kGroupLimit) + " groups");
    }
    if (process.console_device && process.stdio != Stdio::Terminal) {
        return usage_error("process: /dev/console needs a terminal");
    }
    if (filter.instructions.size() > BPF_MAXINSNS) {
        return usage_error("seccomp: more than " + std::to_string(BPF_MAXINSNS) + " instructions");
    }
    TRY(check_rlimits(process.rlimits));
    return check_capabilities(process.capabilities);
}

}  // namespace warren::isolation
