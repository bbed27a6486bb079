#include "runtime/spec/host_caps.hpp"

#include <charconv>
#include <optional>
#include <string_view>

#include "base/fd.hpp"
#include "base/kernel_release.hpp"
#include "base/units.hpp"

namespace warren::spec {

namespace {

using base::Result;

constexpr unsigned kCapSysAdmin = 21;
constexpr base::KernelRelease kFirstWithTimeOnExec{6, 2};

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\n";
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// The value of "Name:" in proc_pid_status(5).
std::optional<std::string_view> status_field(std::string_view status, std::string_view name) {
    while (!status.empty()) {
        const auto end = std::min(status.find('\n'), status.size());
        const auto line = status.substr(0, end);
        if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':') {
            return trimmed(line.substr(name.size() + 1));
        }
        status.remove_prefix(std::min(end + 1, status.size()));
    }
    return std::nullopt;
}

Result<std::uint64_t> capability_mask(std::string_view status, std::string_view name) {
    constexpr int kHex = 16;
    const auto text = status_field(status, name).value_or("");
    std::uint64_t mask = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mask, kHex);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
        return base::fail("read " + std::string(name) + " in /proc/self/status");
    }
    return mask;
}

Result<bool> effective_root(std::string_view status) {
    // "Uid: real effective saved filesystem"
    const auto uids = status_field(status, "Uid").value_or("");
    const auto real_end = uids.find_first_of(" \t");
    if (real_end == std::string_view::npos) {
        return base::fail("read Uid in /proc/self/status");
    }
    const auto effective = trimmed(uids.substr(real_end));
    const auto caps = TRY(capability_mask(status, "CapEff"));
    return effective.substr(0, effective.find_first_of(" \t")) == "0" &&
           ((caps >> kCapSysAdmin) & 1U) != 0;
}

// The limit may be absent (a kernel without user namespaces) or 0 (switched off).
bool user_namespaces_allowed(int root) {
    const auto text = base::read_file_at(root, "proc/sys/user/max_user_namespaces");
    return text && trimmed(text.value()) != "0";
}

}  // namespace

Result<HostCaps> probe_host_caps(const std::string& root) {
    HostCaps caps;
    caps.cgroup = TRY(cgroups::probe_host(root));
    const base::Fd dir = TRY(base::open_dir(AT_FDCWD, root));
    const auto release = TRY(base::read_file_at(dir.get(), "proc/sys/kernel/osrelease"));
    caps.kernel_release = trimmed(release);
    const auto status = TRY(base::read_file_at(dir.get(), "proc/self/status"));
    caps.exec_enters_time = base::parse_kernel_release(release) >= kFirstWithTimeOnExec;
    caps.is_root = TRY(effective_root(status));
    caps.capabilities = TRY(capability_mask(status, "CapBnd"));
    caps.user_namespaces =
        TRY(base::exists_at(dir.get(), "proc/self/ns/user")) && user_namespaces_allowed(dir.get());
    caps.time_namespaces = TRY(base::exists_at(dir.get(), "proc/self/ns/time"));
    caps.seccomp_filter = TRY(base::exists_at(dir.get(), "proc/sys/kernel/seccomp/actions_avail"));
    return caps;
}

}  // namespace warren::spec
