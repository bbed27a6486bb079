#include "images/distribution.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace warren::images {
namespace {

struct Known {
    Family family;
    const char* name;
    const char* suite;
};

constexpr std::array kKnown{
    Known{Family::Debian, "debian:11", "bullseye"},
    Known{Family::Debian, "debian:12", "bookworm"},
    Known{Family::Debian, "debian:13", "trixie"},
    Known{Family::Ubuntu, "ubuntu:22.04", "jammy"},
    Known{Family::Ubuntu, "ubuntu:24.04", "noble"},
    Known{Family::Busybox, "busybox", ""},
};

// Its base-files has the links itself and only stands for usr-is-merged; the hook waits for a package
// of this name, and fails.
constexpr std::string_view kMergedByBaseFiles = "noble";

std::string components(Family family) {
    return family == Family::Ubuntu ? "main universe" : "main";
}

std::string join(const std::vector<std::string>& texts, char separator) {
    std::string out;
    for (const std::string& text : texts) {
        out += (out.empty() ? std::string() : std::string(1, separator)) + text;
    }
    return out;
}

}  // namespace

std::vector<std::string> known_templates() {
    std::vector<std::string> out;
    out.reserve(kKnown.size());
    for (const Known& known : kKnown) {
        out.emplace_back(known.name);
    }
    return out;
}

base::Result<Template> find_template(const std::string& name) {
    for (const Known& known : kKnown) {
        if (name == known.name) {
            return Template{known.family, known.name, known.suite};
        }
    }
    return base::usage_error("unknown template \"" + base::printable(name) + "\": known are " +
                             join(known_templates(), ' '));
}

std::vector<std::string> source_lines(const Template& wanted,
                                      const Mirrors& mirrors,
                                      const std::string& keyring) {
    const std::string head = keyring.empty() ? "deb " : "deb [signed-by=" + keyring + "] ";
    const std::string tail = " " + components(wanted.family);
    const auto line = [&](const std::string& mirror, const std::string& suite) {
        return head + mirror + " " + suite + tail;
    };
    return {line(mirrors.archive, wanted.suite),
            line(mirrors.archive, wanted.suite + "-updates"),
            line(mirrors.security, wanted.suite + "-security")};
}

base::Result<std::vector<std::string>> machine_packages(const Template& wanted, InitSystem init) {
    std::vector<std::string> out{"adduser",
                                 "apt",
                                 "ca-certificates",
                                 "iproute2",
                                 "iputils-ping",
                                 "less",
                                 "login",
                                 "netbase",
                                 "passwd",
                                 "procps"};
    const auto add = [&out](std::initializer_list<const char*> names) {
        out.insert(out.end(), names.begin(), names.end());
    };
    if (wanted.family == Family::Ubuntu) {
        if (init != InitSystem::Systemd) {
            return base::usage_error(wanted.name + " boots with systemd only, not with " +
                                     std::string(name(init)));
        }
        add({"ubuntu-keyring"});
    }
    switch (init) {
        case InitSystem::Systemd:
            // logind, and with it the sessions of pam_systemd, talks by D-Bus.
            add({"systemd", "systemd-sysv", "dbus", "libpam-systemd"});
            return out;
        case InitSystem::Sysvinit:
            add({"sysvinit-core", "sysv-rc", "initscripts"});
            return out;
        case InitSystem::Openrc:
            // Debian's OpenRC runs the services below sysvinit's init.
            add({"sysvinit-core", "openrc", "initscripts"});
            return out;
        case InitSystem::Runit:
            add({"runit-init", "runit", "initscripts"});
            return out;
        default:
            return base::usage_error("cannot build " + wanted.name + " with init " +
                                     std::string(name(init)) +
                                     ": known are systemd, sysvinit, openrc, runit");
    }
}

base::Status check_package_name(const std::string& name) {
    // Debian policy 5.6.1, and an architecture or version after it as apt takes them.
    constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789+-.:=~";
    const bool is_name = name.size() >= 2 && name.size() <= 200 &&
                         name.find_first_not_of(kAllowed) == std::string::npos &&
                         ((name[0] >= 'a' && name[0] <= 'z') || (name[0] >= '0' && name[0] <= '9'));
    if (!is_name) {
        return base::usage_error("\"" + base::printable(name) + "\" is no package name");
    }
    return base::ok();
}

std::vector<std::string> mmdebstrap_arguments(const Template& wanted,
                                              const std::vector<std::string>& packages,
                                              const std::vector<std::string>& sources) {
    std::vector<std::string> out{
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        "--format=tar",
        // A build that a crash ends is thrown away: no need to wait for the disk at each package.
        "--dpkgopt=force-unsafe-io",
        "--aptopt=Acquire::Languages \"none\"",
        "--aptopt=Acquire::Retries \"3\"",
        // A third of a minimal tree is documentation in languages and formats that no program
        // reads. What is installed later in a guest comes with its own: these options stay out of
        // the image.
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/info/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--dpkgopt=path-include=/usr/share/locale/locale.alias",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        "--include=" + join(packages, ','),
    };
    if (wanted.suite != kMergedByBaseFiles) {
        // usr-is-merged where there is one: the usrmerge package brings all of perl.
        out.emplace_back("--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr");
    }
    out.insert(out.end(), {wanted.suite, "-"});
    out.insert(out.end(), sources.begin(), sources.end());
    return out;
}

}  // namespace warren::images
