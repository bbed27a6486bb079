#include "runtime/engine/oci/criu.hpp"

#include <fcntl.h>
#include <sched.h>

#include "base/fd.hpp"
#include "runtime/engine/oci/paths.hpp"
#include "runtime/engine/oci/plan.hpp"
#include "runtime/engine/oci/spawn.hpp"

namespace warren::engine::oci {

namespace {

const char* word(CgroupMode mode) {
    switch (mode) {
        case CgroupMode::Soft:
            return "soft";
        case CgroupMode::Full:
            return "full";
        case CgroupMode::Strict:
            return "strict";
        case CgroupMode::Ignore:
            break;
    }
    return "ignore";
}

// "0" is whoever writes it.
bool enter_cgroup(const cgroups::Host& host, const std::string& path) {
    return static_cast<bool>(
        base::write_knob_at(AT_FDCWD, host.mount_point + path + "/cgroup.procs", "0"));
}

// criu mounts the cgroup tree for itself. From the first cgroup namespace that sets the options of the whole host's
// tree back (nsdelegate goes); from another it does not. Ours begins at the same root, so all paths read the same.
// Where that root is not ours to enter it is not ours to change either.
void leave_first_cgroup_namespace(const cgroups::Host& host) {
    if (enter_cgroup(host, "")) {
        (void)::unshare(CLONE_NEWCGROUP);
        (void)enter_cgroup(host, host.own_path);
    }
}

}  // namespace

base::Status check_criu(const Settings& settings) {
    Program program;
    program.path = settings.criu;
    program.arguments = {settings.criu, "check"};
    auto finished = run_program(program);
    if (!finished) {
        return base::Error(base::ErrorKind::Unsupported,
                           finished.error().error_number(),
                           "checkpoint and restore need the criu program: " + settings.criu);
    }
    if (finished.value().status.signaled || finished.value().status.value != 0) {
        return base::Error(base::ErrorKind::Unsupported,
                           "checkpoint and restore need a kernel that criu can work with: " +
                               settings.criu + " check " + words(finished.value()));
    }
    return base::ok();
}

std::vector<std::string> criu_words(const CriuOptions& options) {
    std::vector<std::string> out{"--manage-cgroups=" + std::string(word(options.cgroups))};
    const std::pair<bool, const char*> flags[] = {{options.tcp_established, "--tcp-established"},
                                                  {options.tcp_skip_in_flight, "--skip-in-flight"},
                                                  {options.ext_unix_sockets, "--ext-unix-sk"},
                                                  {options.shell_job, "--shell-job"},
                                                  {options.file_locks, "--file-locks"},
                                                  {options.link_remap, "--link-remap"},
                                                  {options.lazy_pages, "--lazy-pages"},
                                                  {options.auto_dedup, "--auto-dedup"}};
    for (const auto& [set, flag] : flags) {
        if (set) {
            out.emplace_back(flag);
        }
    }
    for (const auto& name : options.empty_namespaces) {
        out.emplace_back("--empty-ns");
        out.push_back(name == "network" ? "net" : name);
    }
    return out;
}

base::Result<std::string> image_directory(const CriuOptions& options) {
    const auto path =
        TRY(absolute_path(options.image_path.empty() ? "checkpoint" : options.image_path));
    TRY(base::make_dirs(AT_FDCWD, path, 0700));
    return path;
}

base::Status run_criu(const Context& context,
                      const std::string& verb,
                      std::vector<std::string> more,
                      const std::vector<int>& kept) {
    leave_first_cgroup_namespace(context.host);
    const Settings& settings = context.settings;
    Program program;
    program.path = settings.criu;
    program.arguments = {settings.criu, verb};
    program.arguments.insert(program.arguments.end(), more.begin(), more.end());
    program.kept = kept;
    const auto finished = TRY(run_program(program));
    if (finished.status.signaled || finished.status.value != 0) {
        return base::fail(settings.criu + " " + verb + " " + words(finished) + " (see " + verb +
                          ".log in the work directory)");
    }
    return base::ok();
}

bool is_external(const spec::oci::Mount& mount) {
    return is_bind(mount) || mount.type == "cgroup" || mount.type == "cgroup2";
}

}  // namespace warren::engine::oci
