#include "runtime/engine/oci/exec_plan.hpp"

#include <algorithm>

#include "base/units.hpp"
#include "isolation/capabilities.hpp"

namespace warren::engine::oci {

namespace {

constexpr std::uint64_t kIdMax = 0xfffffffe;

base::Result<std::uint32_t> parse_id(const std::string& text) {
    auto number = base::parse_uint(text, 0, kIdMax);
    if (!number) {
        return std::move(number).error().with_place("--user");
    }
    return static_cast<std::uint32_t>(number.value());
}

base::Status set_user(const std::string& text, spec::oci::User& user) {
    const auto colon = text.find(':');
    user.uid = TRY(parse_id(text.substr(0, colon)));
    if (colon != std::string::npos) {
        user.gid = TRY(parse_id(text.substr(colon + 1)));
    }
    return base::ok();
}

// A later setting of a variable takes the place of an earlier one.
void set_variable(std::vector<std::string>& env, const std::string& setting) {
    const auto name = setting.substr(0, setting.find('=')) + "=";
    const auto same = std::find_if(
        env.begin(), env.end(), [&](const auto& old) { return old.starts_with(name); });
    if (same == env.end()) {
        env.push_back(setting);
    } else {
        *same = setting;
    }
}

base::Status add_capabilities(const std::vector<std::string>& names, spec::oci::Process& process) {
    for (const auto& name : names) {
        auto mask = isolation::parse_capability(name);
        if (!mask) {
            return std::move(mask).error().with_place("--cap");
        }
        if (!process.capabilities) {
            process.capabilities.emplace();
        }
        auto& sets = process.capabilities->sets;
        const std::uint64_t bit = mask.value();
        sets.bounding |= bit;
        sets.effective |= bit;
        sets.permitted |= bit;
        if (process.user.uid != 0) {
            // An ordinary user keeps over exec(2) what is ambient only.
            sets.inheritable |= bit;
            sets.ambient |= bit;
        }
    }
    return base::ok();
}

}  // namespace

base::Result<spec::oci::Process> process_of_flags(const ExecRequest& request,
                                                  const spec::oci::Process& from) {
    if (request.args.empty()) {
        return base::usage_error("exec needs a program, or --process");
    }
    auto process = from;
    process.args = request.args;
    process.terminal = request.terminal;
    process.console_size.reset();
    if (request.cwd) {
        process.cwd = *request.cwd;
    }
    if (request.user) {
        TRY(set_user(*request.user, process.user));
    }
    if (!request.additional_gids.empty()) {
        process.user.additional_gids = request.additional_gids;
    }
    for (const auto& setting : request.env) {
        if (setting.find('=') == std::string::npos || setting.front() == '=') {
            return base::usage_error("\"" + base::printable(setting) + "\" is not NAME=VALUE")
                .with_place("--env");
        }
        set_variable(process.env, setting);
    }
    TRY(add_capabilities(request.capabilities, process));
    if (request.no_new_privs) {
        process.no_new_privileges = true;
    }
    if (request.apparmor_profile) {
        process.apparmor_profile = *request.apparmor_profile;
    }
    if (request.process_label) {
        process.selinux_label = *request.process_label;
    }
    return process;
}

base::Result<std::string> cgroup_of_flags(const std::vector<std::string>& flags) {
    std::string chosen;
    for (const auto& flag : flags) {
        const auto colon = flag.find(':');
        const auto sub = colon == std::string::npos ? flag : flag.substr(colon + 1);
        if (sub.empty()) {
            return base::usage_error("--cgroup \"" + base::printable(flag) + "\" names no cgroup");
        }
        if (!chosen.empty() && chosen != sub) {
            return base::usage_error("--cgroup: cgroup v2 has one tree, so \"" +
                                     base::printable(chosen) + "\" and \"" + base::printable(sub) +
                                     "\" cannot both be");
        }
        chosen = sub;
    }
    return chosen;
}

}  // namespace warren::engine::oci
