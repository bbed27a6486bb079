#include "runtime/spec/oci/check.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <linux/sched.h>

#include "base/units.hpp"
#include "runtime/spec/oci/checks.hpp"

namespace warren::spec::oci {

namespace {

using isolation::Namespace;

// Semantic Versioning 2.0.0: three numbers, then "-..." or "+...".
bool is_version(std::string_view text) {
    constexpr std::uint64_t kMax = 0xffffffffU;
    const auto end = std::min(text.find_first_of("-+"), text.size());
    auto numbers = text.substr(0, end);
    for (int i = 0; i < 3; ++i) {
        const auto dot = i == 2 ? std::string_view::npos : numbers.find('.');
        if (i < 2 && dot == std::string_view::npos) {
            return false;
        }
        const auto number = numbers.substr(0, dot);
        if (!base::parse_uint(number, 0, kMax) || (number.size() > 1 && number.front() == '0')) {
            return false;
        }
        numbers.remove_prefix(dot == std::string_view::npos ? numbers.size() : dot + 1);
    }
    return end + 1 != text.size();
}

void check_version(const Config& config, Problems& problems) {
    if (!is_version(config.oci_version)) {
        add(problems,
            "/ociVersion",
            "expected a version like " + std::string(kOciVersion) + ", found \"" +
                config.oci_version + "\"");
    } else if (!config.oci_version.starts_with("1.")) {
        add_unsupported(problems,
                        "/ociVersion",
                        "version " + config.oci_version + " of the specification; known is 1");
    }
}

void check_root(const Config& config, Problems& problems) {
    if (!config.root) {
        add(problems, "/root", "expected an object, found nothing");
    } else if (config.root->path.empty()) {
        add(problems, "/root/path", "expected a path, found nothing");
    }
}

void check_name(const Config& config,
                const std::string& name,
                const std::string& pointer,
                Problems& problems) {
    constexpr std::size_t kLongest = 64;  // __NEW_UTS_LEN
    if (name.empty()) {
        return;
    }
    if (name.size() > kLongest) {
        add(problems, pointer, "longer than " + std::to_string(kLongest) + " bytes");
    }
    if (config.linux.find(Namespace::Uts) == nullptr) {
        add(problems, pointer, "needs a namespace of type uts: this is the host's own name");
    }
}

void check_hook_list(const std::vector<Hook>& hooks,
                     const std::string& pointer,
                     Problems& problems) {
    for (std::size_t i = 0; i < hooks.size(); ++i) {
        require_absolute(problems, hooks[i].path, pointer + "/" + std::to_string(i) + "/path");
    }
}

void check_hooks(const Hooks& hooks, Problems& problems) {
    check_hook_list(hooks.prestart, "/hooks/prestart", problems);
    check_hook_list(hooks.create_runtime, "/hooks/createRuntime", problems);
    check_hook_list(hooks.create_container, "/hooks/createContainer", problems);
    check_hook_list(hooks.start_container, "/hooks/startContainer", problems);
    check_hook_list(hooks.poststart, "/hooks/poststart", problems);
    check_hook_list(hooks.poststop, "/hooks/poststop", problems);
}

void check_annotations(const Config& config, Problems& problems) {
    if (config.annotations.contains("")) {
        add(problems, "/annotations/", "a key must not be empty");
    }
}

void check_rlimits(const Process& process, const std::string& at, Problems& problems) {
    std::set<int> seen;
    for (std::size_t i = 0; i < process.rlimits.size(); ++i) {
        const auto& limit = process.rlimits[i];
        const auto pointer = at + "/rlimits/" + std::to_string(i);
        if (!seen.insert(limit.resource).second) {
            add(problems, pointer + "/type", "given twice");
        }
        if (limit.soft > limit.hard) {
            add(problems, pointer + "/soft", "above the hard limit");
        }
    }
}

void check_scheduler(const Scheduler& scheduler, const std::string& at, Problems& problems) {
    constexpr std::uint32_t kIso = 4;
    const bool real_time = scheduler.policy == SCHED_FIFO || scheduler.policy == SCHED_RR;
    const bool times = scheduler.runtime != 0 || scheduler.deadline != 0 || scheduler.period != 0;
    if (scheduler.policy == kIso) {
        add_unsupported(problems, at + "/policy", "Linux has no SCHED_ISO");
    }
    if (real_time && scheduler.priority == 0) {
        add(problems, at + "/priority", "expected 1 to 99 with this policy, found 0");
    }
    if (!real_time && scheduler.priority != 0) {
        add(problems, at + "/priority", "only for SCHED_FIFO and SCHED_RR");
    }
    if (scheduler.policy != SCHED_DEADLINE && times) {
        add(problems, at, "runtime, deadline and period are only for SCHED_DEADLINE");
    }
}

}  // namespace

void add(Problems& problems, std::string pointer, std::string text) {
    problems.push_back({std::move(pointer), std::move(text), base::ErrorKind::Usage});
}

void add_unsupported(Problems& problems, std::string pointer, std::string text) {
    problems.push_back({std::move(pointer), std::move(text), base::ErrorKind::Unsupported});
}

void require_absolute(Problems& problems, const std::string& path, const std::string& pointer) {
    if (!path.starts_with('/')) {
        add(problems,
            pointer,
            path.empty() ? "expected an absolute path, found nothing"
                         : "expected an absolute path, found \"" + path + "\"");
    }
}

void require_all_absolute(Problems& problems,
                          const std::vector<std::string>& paths,
                          const std::string& pointer) {
    for (std::size_t i = 0; i < paths.size(); ++i) {
        require_absolute(problems, paths[i], pointer + "/" + std::to_string(i));
    }
}

std::vector<Problem> check_process(const Process& process, const std::string& at) {
    Problems problems;
    if (process.args.empty()) {
        add(problems, at + "/args", "expected a program, found nothing");
    }
    require_absolute(problems, process.cwd, at + "/cwd");
    check_rlimits(process, at, problems);
    if (process.scheduler) {
        check_scheduler(*process.scheduler, at + "/scheduler", problems);
    }
    return problems;
}

std::vector<Problem> check_config(const Config& config) {
    Problems problems;
    check_version(config, problems);
    if (config.process) {
        for (auto& problem : check_process(*config.process, "/process")) {
            problems.push_back(std::move(problem));
        }
    }
    check_root(config, problems);
    check_name(config, config.hostname, "/hostname", problems);
    check_name(config, config.domainname, "/domainname", problems);
    check_mounts(config, problems);
    check_hooks(config.hooks, problems);
    check_annotations(config, problems);
    check_linux(config, problems);
    if (config.wants_vm) {
        add_unsupported(
            problems, "/vm", "a virtual machine is asked for; containers are all there is");
    }
    return problems;
}

base::Status to_status(const std::vector<Problem>& problems) {
    if (problems.empty()) {
        return base::ok();
    }
    const auto error = [](const Problem& problem) {
        return base::Error(problem.kind, problem.text).with_place(problem.pointer);
    };
    auto first = error(problems.front());
    for (std::size_t i = 1; i < problems.size(); ++i) {
        first.add_secondary(error(problems[i]));
    }
    return first;
}

}  // namespace warren::spec::oci
