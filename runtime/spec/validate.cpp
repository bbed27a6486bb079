#include "runtime/spec/validate.hpp"

#include <array>

#include "runtime/spec/checks.hpp"

namespace warren::spec {

namespace {

using Check = void (*)(const GuestConfig&, Problems&);
using HostCheck = void (*)(const GuestConfig&, const HostCaps&, Problems&);

constexpr std::array<Check, 19> kChecks{
    check_name,     check_image,        check_hostname, check_command, check_init_system,
    check_terminal, check_cwd,          check_env,      check_labels,  check_cpu,
    check_memory,   check_pids,         check_io,       check_hugetlb, check_mounts,
    check_devices,  check_capabilities, check_seccomp,  check_nesting,
};

constexpr std::array<HostCheck, 4> kHostChecks{
    check_namespaces,
    check_filter_support,
    check_held_capabilities,
    check_controllers,
};

base::Error to_error(const Problem& problem) {
    return base::Error(problem.kind, problem.text).with_place(problem.place);
}

}  // namespace

std::vector<Problem> find_problems(const GuestConfig& config, const HostCaps& host) {
    Problems problems;
    for (const Check check : kChecks) {
        check(config, problems);
    }
    if (problems.empty()) {
        check_readable(config, problems);
    }
    for (const HostCheck check : kHostChecks) {
        check(config, host, problems);
    }
    return problems;
}

base::Result<ValidatedConfig> validate(GuestConfig config, const HostCaps& host) {
    const auto problems = find_problems(config, host);
    if (problems.empty()) {
        return ValidatedConfig(std::move(config));
    }
    auto error = to_error(problems.front());
    for (std::size_t i = 1; i < problems.size(); ++i) {
        error.add_secondary(to_error(problems[i]));
    }
    return error;
}

}  // namespace warren::spec
