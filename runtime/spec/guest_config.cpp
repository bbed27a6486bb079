#include "runtime/spec/guest_config.hpp"

#include <algorithm>
#include <string_view>

namespace warren::spec {

namespace {

constexpr std::size_t kHostnameMax = 64;  // HOST_NAME_MAX

std::string_view env_key(std::string_view entry) {
    return entry.substr(0, entry.find('='));
}

std::string without_prefix(const std::string& capability) {
    constexpr std::string_view kPrefix = "CAP_";
    return capability.starts_with(kPrefix) ? capability.substr(kPrefix.size()) : capability;
}

// One label of a host name: letters, digits and '-', neither starting nor ending with '-'.
std::string hostname_label(std::string_view text) {
    std::string label(text);
    std::replace(label.begin(), label.end(), '_', '-');
    const auto first = label.find_first_not_of('-');
    if (first == std::string::npos) {
        return "";
    }
    return label.substr(first, label.find_last_not_of('-') - first + 1);
}

}  // namespace

std::vector<std::string> weakened_walls(const GuestConfig& config) {
    const Security& security = config.security;
    std::vector<std::string> walls;
    if (security.users == Wall::Host) {
        walls.emplace_back("--userns host");
    }
    if (security.time == Wall::Host) {
        walls.emplace_back("--time host");
    }
    if (config.network.mode == netns::Mode::Host) {
        walls.emplace_back("--network host");
    }
    if (security.seccomp_unconfined) {
        walls.emplace_back("--seccomp unconfined");
    } else if (!security.seccomp_file_text.empty()) {
        walls.emplace_back("--seccomp FILE");
    }
    if (security.nesting) {
        walls.emplace_back("--nesting");
    }
    for (const auto& name : isolation::capability_names(security.cap_add)) {
        walls.push_back("--cap-add " + without_prefix(name));
    }
    for (const auto& device : security.devices) {
        walls.push_back("--device " + device.path + ":" + device.access);
    }
    return walls;
}

std::uint64_t bounding_capabilities(const GuestConfig& config) {
    const Security& security = config.security;
    const auto all = isolation::all_capabilities();
    if ((security.cap_drop & all) == all) {
        return security.cap_add & all;
    }
    const auto defaults = isolation::default_bounding(config.kind, security.users == Wall::Host);
    return (defaults | security.cap_add) & ~security.cap_drop;
}

std::string effective_hostname(const GuestConfig& config) {
    if (!config.hostname.empty()) {
        return config.hostname;
    }
    std::string hostname;
    std::string_view rest = config.name;
    while (!rest.empty()) {
        const auto dot = std::min(rest.find('.'), rest.size());
        const auto label = hostname_label(rest.substr(0, dot));
        if (!label.empty()) {
            hostname += (hostname.empty() ? "" : ".") + label;
        }
        rest.remove_prefix(std::min(dot + 1, rest.size()));
    }
    return hostname.empty() ? "guest" : hostname.substr(0, kHostnameMax);
}

std::vector<std::string> merge_env(std::vector<std::string> env,
                                   const std::vector<std::string>& newer) {
    for (const auto& entry : newer) {
        const auto same = std::find_if(env.begin(), env.end(), [&entry](const std::string& old) {
            return env_key(old) == env_key(entry);
        });
        if (same != env.end()) {
            *same = entry;
        } else {
            env.push_back(entry);
        }
    }
    return env;
}

GuestConfig merge(GuestConfig config, const ConfigUpdate& update) {
    config.limits.merge(update.limits);
    if (update.hostname) {
        config.hostname = *update.hostname;
    }
    for (const auto& [key, value] : update.labels) {
        if (value.empty()) {
            config.labels.erase(key);
        } else {
            config.labels.insert_or_assign(key, value);
        }
    }
    config.env = merge_env(std::move(config.env), update.env);
    return config;
}

}  // namespace warren::spec
