#include <algorithm>

#include "runtime/engine/oci/plan_parts.hpp"

namespace warren::engine::oci {

namespace {

bool has_variable(const std::vector<std::string>& env, const std::string& name) {
    const std::string start = name + "=";
    return std::any_of(
        env.begin(), env.end(), [&](const auto& entry) { return entry.starts_with(start); });
}

base::Status plan_labels(const spec::oci::Process& process,
                         const Site& site,
                         const std::string& at,
                         isolation::ContainerProcess& out) {
    const bool confined = process.apparmor_profile != "unconfined";
    if (!process.apparmor_profile.empty() && !site.apparmor && confined) {
        return unsupported("AppArmor is not enabled on this host", at + "/apparmorProfile");
    }
    if (site.apparmor_profile_missing) {
        return base::Error(base::ErrorKind::NotFound,
                           "AppArmor has no profile \"" +
                               base::printable(process.apparmor_profile) + "\" loaded")
            .with_place(at + "/apparmorProfile");
    }
    if (!process.selinux_label.empty() && !site.selinux) {
        return unsupported("SELinux is not enabled on this host", at + "/selinuxLabel");
    }
    out.apparmor_profile = site.apparmor ? process.apparmor_profile : "";
    out.selinux_label = process.selinux_label;
    return base::ok();
}

void plan_capabilities(const spec::oci::Process& process, const Site& site, ProcessPlan& plan) {
    if (!process.capabilities) {
        return;
    }
    for (const auto& name : process.capabilities->unknown) {
        plan.warnings.push_back("capability " + base::printable(name) + " is not known");
    }
    plan.process.capabilities = isolation::grantable_capabilities(
        process.capabilities->sets, site.capabilities, plan.warnings);
}

std::optional<isolation::SchedulerSpec> scheduler_of(const spec::oci::Process& process) {
    if (!process.scheduler) {
        return std::nullopt;
    }
    const auto& from = *process.scheduler;
    isolation::SchedulerSpec scheduler;
    scheduler.policy = from.policy;
    scheduler.flags = from.flags;
    scheduler.nice = from.nice;
    scheduler.priority = from.priority;
    scheduler.runtime = from.runtime;
    scheduler.deadline = from.deadline;
    scheduler.period = from.period;
    return scheduler;
}

}  // namespace

base::Result<ProcessPlan> plan_process(const spec::oci::Process& process,
                                       const std::string& home,
                                       const Site& site,
                                       const std::string& at) {
    ProcessPlan plan;
    auto& out = plan.process;
    out.argv = process.args;
    out.env = process.env;
    if (!has_variable(out.env, "HOME")) {
        out.env.push_back("HOME=" + home);
    }
    out.cwd = process.cwd;
    out.uid = process.user.uid;
    out.gid = process.user.gid;
    out.additional_gids = process.user.additional_gids;
    out.umask = process.user.umask;
    plan_capabilities(process, site, plan);
    out.rlimits = process.rlimits;
    out.no_new_privs = process.no_new_privileges;
    out.oom_score_adj = process.oom_score_adj;
    out.stdio = process.terminal ? isolation::Stdio::Terminal : isolation::Stdio::Given;
    if (process.terminal && process.console_size) {
        out.window = *process.console_size;
    }
    out.scheduler = scheduler_of(process);
    if (process.io_priority) {
        out.io_priority = process.io_priority->value();
    }
    out.new_keyring = !site.no_new_keyring;
    out.preserve_fds = site.listen_fds + site.preserve_fds;
    out.listen_fds = site.listen_fds;
    TRY(plan_labels(process, site, at, out));
    return plan;
}

}  // namespace warren::engine::oci
