#include "isolation/container_process_plan.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "isolation/container_check.hpp"
#include "isolation/plan_parts.hpp"

namespace warren::isolation {

namespace {

constexpr std::uint32_t kFirstPreservedFd = 3;

// Labels for the program, set before the caller's /proc goes.
struct Label {
    const char* what;
    const char* path;
    const char* fallback;
    std::string text;
};

std::vector<std::pair<std::uint32_t, Label>> labels(const ContainerProcess& process) {
    std::vector<std::pair<std::uint32_t, Label>> found;
    auto slot = static_cast<std::uint32_t>(child::kLabelSlot);
    if (!process.apparmor_profile.empty()) {
        found.emplace_back(slot++,
                           Label{"AppArmor profile",
                                 "self/attr/apparmor/exec",
                                 "self/attr/exec",
                                 "exec " + process.apparmor_profile});
    }
    if (!process.selinux_label.empty()) {
        found.emplace_back(slot,
                           Label{"SELinux label", "self/attr/exec", "", process.selinux_label});
    }
    return found;
}

// The environment with what LISTEN_FDS says of the descriptors.
std::vector<std::string> environment(const ContainerProcess& process) {
    if (process.listen_fds == 0) {
        return process.env;
    }
    std::vector<std::string> env;
    std::copy_if(process.env.begin(),
                 process.env.end(),
                 std::back_inserter(env),
                 [](const std::string& variable) {
                     return !variable.starts_with("LISTEN_FDS=") &&
                            !variable.starts_with("LISTEN_PID=");
                 });
    env.push_back("LISTEN_FDS=" + std::to_string(process.listen_fds));
    env.emplace_back(kListenPid);
    return env;
}

}  // namespace

void open_labels(RecipeBuilder& recipe, const ContainerProcess& process) {
    for (const auto& [slot, label] : labels(process)) {
        recipe.open_label(std::string(label.what) + ": open", slot, label.path, label.fallback);
    }
}

void make_keyring(RecipeBuilder& recipe, const ContainerProcess& process) {
    if (!process.new_keyring) {
        return;
    }
    if (!process.selinux_label.empty()) {
        recipe.write_proc("SELinux label: of the keyring",
                          "self/attr/keycreate",
                          process.selinux_label,
                          child::kOptional);
    }
    recipe.new_keyring();
}

void close_others(RecipeBuilder& recipe,
                  const ContainerProcess& process,
                  std::vector<std::int32_t> slots) {
    for (const auto& [slot, label] : labels(process)) {
        slots.push_back(static_cast<std::int32_t>(slot));
    }
    recipe.close_all_but(kFirstPreservedFd + process.preserve_fds, slots);
}

// A filter can be loaded without no_new_privs only with CAP_SYS_ADMIN, so before the
// capabilities go; else as late as possible. What a filter could forbid comes before either.
void become_program(RecipeBuilder& recipe,
                    const ContainerProcess& process,
                    const SeccompProgram& filter,
                    bool setgroups_denied) {
    const bool filtered = !filter.instructions.empty();
    set_rlimits(recipe, process);
    if (process.umask) {
        recipe.set_umask(*process.umask);
    }
    if (process.personality) {
        recipe.set_personality(*process.personality);
    }
    if (process.preserve_fds != 0) {
        recipe.preserve_fds(process.preserve_fds);
    }
    if (process.listen_fds != 0) {
        recipe.set_listen_pid();
    }
    for (const auto& [slot, label] : labels(process)) {
        recipe.write_label(std::string(label.what) + ": set", slot, label.text);
    }
    recipe.try_change_dir(process.cwd);
    if (filtered && !process.no_new_privs) {
        recipe.load_seccomp(filter);
    }
    take_ids(recipe, process, !setgroups_denied || !process.additional_gids.empty());
    recipe.retry_change_dir(process.cwd);
    take_capabilities(recipe, process);
    if (process.no_new_privs) {
        recipe.no_new_privs();
        if (filtered) {
            recipe.load_seccomp(filter);
        }
    }
    std::optional<ExecFailureLines> failure;
    if (process.tells_exec_failure) {
        failure = exec_failure_lines(process.argv.front());
    }
    recipe.exec(exec_candidates(process), process.argv, environment(process), failure);
}

base::Result<Recipe> plan_container_join(const ContainerJoin& spec, const SeccompProgram& filter) {
    TRY(check_container_join(spec, filter));
    const auto& process = spec.process;
    RecipeBuilder recipe;
    recipe.set_non_dumpable();
    recipe.wait_release(spec.root_slot ? *spec.root_slot + 1 : 0);
    open_labels(recipe, process);
    make_keyring(recipe, process);
    recipe.set_umask(kDefaultUmask);
    if (spec.namespaces.has(Namespace::User) && spec.root_mapped) {
        if (!spec.setgroups_denied) {
            recipe.set_groups({});
        }
        recipe.set_gid(0);
        recipe.set_uid(0);
    }
    if (spec.root_slot) {
        recipe.enter_root(*spec.root_slot);
    }
    recipe.setsid();
    if (process.stdio == Stdio::Terminal) {
        recipe.open_terminal(process.window, process.uid);
    }
    recipe.take_stdio(process.stdio);
    recipe.reset_signals();
    close_others(recipe, process, {});
    become_program(recipe, process, filter, spec.setgroups_denied);
    return std::move(recipe).finish();
}

}  // namespace warren::isolation
