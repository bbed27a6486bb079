// /linux/sysctl: only keys of namespaces that are the container's.
#include "isolation/sysctl.hpp"

#include "runtime/spec/oci/checks.hpp"

namespace warren::spec::oci {

namespace {

using isolation::Namespace;

std::string_view word_of(Namespace kind) {
    switch (kind) {
        case Namespace::Uts:
            return "uts";
        case Namespace::Ipc:
            return "ipc";
        case Namespace::Net:
            return "network";
        default:
            return "user";
    }
}

std::string pointer_of(std::string_view key) {
    std::string out = "/linux/sysctl/";
    for (const char c : key) {
        if (c == '/') {
            out += "~1";
        } else if (c == '~') {
            out += "~0";
        } else {
            out += c;
        }
    }
    return out;
}

void check_key(const Linux& linux, const std::string& key, Problems& problems) {
    const auto path = sysctl_path(key);
    if (!path) {
        add(problems, pointer_of(key), "no name of a kernel parameter");
        return;
    }
    const auto kind = isolation::sysctl_namespace(*path);
    if (!kind) {
        add(problems, pointer_of(key), "belongs to no namespace: it is the whole host's");
        return;
    }
    if (linux.find(*kind) == nullptr) {
        add(problems,
            pointer_of(key),
            "needs a namespace of type " + std::string(word_of(*kind)) + ": it is the host's");
        return;
    }
    if (*path == "kernel/hostname") {
        add(problems, pointer_of(key), "is what /hostname is for");
    }
}

}  // namespace

std::optional<Namespace> sysctl_namespace(std::string_view key) {
    const auto path = sysctl_path(key);
    return path ? isolation::sysctl_namespace(*path) : std::nullopt;
}

std::optional<std::string> sysctl_path(std::string_view key) {
    const auto path = isolation::sysctl_path(std::string(key));
    const auto has = [&path](std::string_view step) {
        return ("/" + path + "/").find(step) != std::string::npos;
    };
    if (path.find('\0') != std::string::npos || has("//") || has("/./") || has("/../")) {
        return std::nullopt;
    }
    return path;
}

void check_sysctl(const Linux& linux, Problems& problems) {
    for (const auto& [key, value] : linux.sysctl) {
        check_key(linux, key, problems);
    }
}

}  // namespace warren::spec::oci
