// What the tests of spec share: configs, and words for problems.
#pragma once

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "runtime/spec/checks.hpp"
#include "runtime/spec/validate.hpp"

namespace warren::spec::test {

// A machine that every check is content with.
inline GuestConfig machine() {
    GuestConfig config;
    config.name = "web1";
    config.image = "debian:12";
    config.command = {"/sbin/init"};
    config.init_system = "systemd";
    return config;
}

inline GuestConfig command_guest() {
    GuestConfig config = machine();
    config.kind = isolation::GuestKind::Command;
    config.command = {"sh", "-c", "true"};
    config.init_system.clear();
    return config;
}

// A host that can do everything.
inline HostCaps able_host() {
    using cgroups::Controller;
    HostCaps host;
    host.cgroup.mode = cgroups::HostMode::Unified;
    host.cgroup.mount_point = "/sys/fs/cgroup";
    host.cgroup.controllers = {Controller::Cpu,
                               Controller::Cpuset,
                               Controller::Memory,
                               Controller::Io,
                               Controller::Pids,
                               Controller::Hugetlb};
    host.is_root = true;
    host.user_namespaces = true;
    host.time_namespaces = true;
    host.seccomp_filter = true;
    host.capabilities = isolation::all_capabilities();
    return host;
}

inline std::uint64_t capability(const char* name) {
    return isolation::parse_capability(name).value();
}

using Check = void (*)(const GuestConfig&, Problems&);

inline Problems problems_of(Check check, const GuestConfig& config) {
    Problems problems;
    check(config, problems);
    return problems;
}

// The places of all problems, as "--memory; --mount 2".
inline std::string places(const Problems& problems) {
    std::string out;
    for (const auto& problem : problems) {
        out += (out.empty() ? "" : "; ") + problem.place;
    }
    return out;
}

inline std::string places(Check check, const GuestConfig& config) {
    return places(problems_of(check, config));
}

// The only problem's text; fails the test when there is not exactly one.
inline std::string text_of(Check check, const GuestConfig& config) {
    const auto problems = problems_of(check, config);
    REQUIRE(problems.size() == 1);
    return problems.front().text;
}

}  // namespace warren::spec::test
