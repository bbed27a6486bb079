#include "runtime/engine/oci/config_place.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace warren::engine::oci {

namespace {

struct List {
    std::string_view word;
    const char* pointer;
};

constexpr std::array<List, 5> kLists{{{"mounts[", "/mounts/"},
                                      {"devices[", "/linux/devices/"},
                                      {"masked paths[", "/linux/maskedPaths/"},
                                      {"readonly paths[", "/linux/readonlyPaths/"},
                                      {"rlimits[", "/process/rlimits/"}}};

// By what a text begins with.
constexpr std::array<List, 15> kMembers{{{"hostname", "/hostname"},
                                         {"domainname", "/domainname"},
                                         {"root", "/root"},
                                         {"time offsets", "/linux/timeOffsets"},
                                         {"namespaces", "/linux/namespaces"},
                                         {"personality", "/linux/personality"},
                                         {"scheduler", "/process/scheduler"},
                                         {"I/O priority", "/process/ioPriority"},
                                         {"CPU affinity", "/process/execCPUAffinity"},
                                         {"AppArmor profile", "/process/apparmorProfile"},
                                         {"SELinux label", "/process/selinuxLabel"},
                                         {"rlimit ", "/process/rlimits"},
                                         {"oom_score_adj", "/process/oomScoreAdj"},
                                         {"change to ", "/process/cwd"},
                                         {"seccomp", "/linux/seccomp"}}};

// "~1" and "~0" stand for "/" and "~" in a JSON pointer.
std::string escaped(std::string_view key) {
    std::string out;
    for (const char c : key) {
        if (c == '~' || c == '/') {
            out += c == '~' ? "~0" : "~1";
        } else {
            out += c;
        }
    }
    return out;
}

struct Found {
    std::string pointer;
    std::string rest;
};

// "sysctl net.x: set", or with the key in quotes.
std::optional<Found> find_sysctl(std::string_view text) {
    constexpr std::string_view kWord = "sysctl ";
    if (!text.starts_with(kWord)) {
        return std::nullopt;
    }
    const auto end = text.find(": ");
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    auto key = text.substr(kWord.size(), end - kWord.size());
    if (key.size() >= 2 && key.front() == '"' && key.back() == '"') {
        key = key.substr(1, key.size() - 2);
    }
    return Found{"/linux/sysctl/" + escaped(key), std::string(text)};
}

std::optional<Found> find(std::string_view text) {
    if (text.starts_with("/hooks/")) {
        const auto end = text.find(": ");
        if (end != std::string_view::npos) {
            return Found{std::string(text.substr(0, end)), std::string(text.substr(end + 2))};
        }
    }
    for (const auto& list : kLists) {
        const auto close = text.find("]: ");
        if (text.starts_with(list.word) && close != std::string_view::npos) {
            return Found{
                list.pointer + std::string(text.substr(list.word.size(), close - list.word.size())),
                std::string(text.substr(close + 3))};
        }
    }
    if (auto sysctl = find_sysctl(text)) {
        return sysctl;
    }
    for (const auto& member : kMembers) {
        if (text.starts_with(member.word)) {
            return Found{member.pointer, std::string(text)};
        }
    }
    return std::nullopt;
}

}  // namespace

base::Error with_config_place(base::Error error) {
    if (!error.place().empty()) {
        return error;
    }
    const auto found = find(error.what());
    if (!found) {
        return error;
    }
    base::Error placed(error.kind(), error.error_number(), found->rest);
    for (const auto& text : error.context()) {
        placed = std::move(placed).with_context(text);
    }
    for (const auto& other : error.secondary()) {
        placed.add_secondary(other);
    }
    return std::move(placed).with_place(found->pointer);
}

}  // namespace warren::engine::oci
