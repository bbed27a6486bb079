// Checks of what passes through a guest's walls: mounts, devices, capabilities, system calls.
#include <algorithm>
#include <array>
#include <set>

#include "runtime/spec/checks.hpp"

namespace warren::spec {

namespace {

constexpr std::size_t kMaxMounts = 100;
constexpr std::size_t kMaxDeviceNodes = 100;
constexpr std::size_t kMaxProfile = 1U << 20;

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& word : words) {
        out += (out.empty() ? "" : ", ") + word;
    }
    return out;
}

std::optional<std::string> bad_target(const std::string& path) {
    if (auto why = bad_path(path)) {
        return why;
    }
    if (has_parent_step(path)) {
        return "the target \"" + path + "\" has a \"..\" in it";
    }
    const auto normal = normal_path(path);
    if (normal == "/") {
        return "the target is the guest's whole root";
    }
    constexpr std::array<std::string_view, 4> kOurs{"/proc", "/sys", "/sys/fs/cgroup", "/dev"};
    if (std::find(kOurs.begin(), kOurs.end(), normal) != kOurs.end()) {
        return "the target " + normal + " is one that every guest gets of its own";
    }
    return std::nullopt;
}

bool is_access(std::string_view letters) {
    const std::set<char> distinct(letters.begin(), letters.end());
    return !letters.empty() && distinct.size() == letters.size() &&
           letters.find_first_not_of("rwm") == std::string_view::npos;
}

}  // namespace

void check_mounts(const GuestConfig& config, Problems& problems) {
    if (config.mounts.size() > kMaxMounts) {
        problems.push_back({"--mount", "more than " + std::to_string(kMaxMounts) + " mounts"});
    }
    std::set<std::string> targets;
    for (std::size_t i = 0; i < config.mounts.size(); ++i) {
        const auto& mount = config.mounts[i];
        if (const auto why = bad_path(mount.source)) {
            problems.push_back({nth("--mount", i), "the source: " + *why});
        }
        if (const auto why = bad_target(mount.target)) {
            problems.push_back({nth("--mount", i), *why});
        } else if (!targets.insert(normal_path(mount.target)).second) {
            problems.push_back({nth("--mount", i),
                                "the target " + normal_path(mount.target) + " is there already"});
        }
    }
}

void check_devices(const GuestConfig& config, Problems& problems) {
    const auto& devices = config.security.devices;
    if (devices.size() > kMaxDeviceNodes) {
        problems.push_back(
            {"--device", "more than " + std::to_string(kMaxDeviceNodes) + " devices"});
    }
    std::set<std::string> paths;
    for (std::size_t i = 0; i < devices.size(); ++i) {
        const auto& device = devices[i];
        if (const auto why = bad_path(device.path)) {
            problems.push_back({nth("--device", i), *why});
        } else if (!device.path.starts_with("/dev/") || has_parent_step(device.path) ||
                   normal_path(device.path) != device.path) {
            problems.push_back({nth("--device", i),
                                "expected a plain path below /dev, found \"" + device.path + "\""});
        } else if (!paths.insert(device.path).second) {
            problems.push_back({nth("--device", i), device.path + " is there already"});
        }
        if (!is_access(device.access)) {
            problems.push_back(
                {nth("--device", i), "expected letters of rwm, found \"" + device.access + "\""});
        }
    }
}

void check_capabilities(const GuestConfig& config, Problems& problems) {
    const auto& security = config.security;
    const auto all = isolation::all_capabilities();
    const bool adds_all = (security.cap_add & all) == all;
    const bool drops_all = (security.cap_drop & all) == all;
    const auto both = security.cap_add & security.cap_drop;
    // "All but these" and "none but these" name some twice on purpose.
    if (both != 0 && adds_all == drops_all) {
        problems.push_back(
            {"--cap-add", "dropped as well: " + joined(isolation::capability_names(both))});
    }
}

void check_seccomp(const GuestConfig& config, Problems& problems) {
    const auto& security = config.security;
    const auto& text = security.seccomp_file_text;
    if (text.empty()) {
        return;
    }
    if (security.seccomp_unconfined) {
        problems.push_back({"--seccomp", "a profile and unconfined at once"});
    }
    if (const auto why = bad_text(text, kMaxProfile)) {
        problems.push_back({"--seccomp", "the profile is " + *why});
        return;
    }
    if (const auto checked = isolation::check_seccomp_file(text); !checked) {
        problems.push_back({"--seccomp", checked.error().describe(), checked.error().kind()});
    }
}

void check_nesting(const GuestConfig& config, Problems& problems) {
    const auto& security = config.security;
    if (!security.nesting) {
        return;
    }
    if (security.users == Wall::Host) {
        problems.push_back(
            {"--nesting", "with --userns host it would give away the host; leave one of them out"});
    }
    if (config.kind == isolation::GuestKind::Command) {
        problems.push_back({"--nesting", "only a guest that runs its init can hold other guests"});
    }
}

}  // namespace warren::spec
