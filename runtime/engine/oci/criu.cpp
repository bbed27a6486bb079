#include "runtime/engine/oci/criu.hpp"

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

base::Status run_criu(const Settings& settings,
                      const std::string& verb,
                      std::vector<std::string> more,
                      const std::vector<int>& kept) {
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

std::vector<std::string> external_mounts(const spec::oci::Config& config) {
    std::vector<std::string> out;
    for (const auto& mount : config.mounts) {
        if (is_bind(mount)) {
            out.push_back(clean_path(mount.destination));
        }
    }
    return out;
}

}  // namespace warren::engine::oci
