#include <fcntl.h>

#include "runtime/engine/oci/container.hpp"
#include "runtime/engine/oci/criu.hpp"
#include "runtime/engine/oci/paths.hpp"
#include "runtime/engine/oci/restore.hpp"
#include "runtime/engine/oci/teardown.hpp"

namespace warren::engine::oci {

namespace {

base::Status check_request(const CheckpointRequest& request,
                           const Context& context,
                           const Container& container,
                           const spec::oci::Config& config) {
    const auto status = TRY(status_of(context, container));
    if (status != Status::Running && status != Status::Paused) {
        return state_error(request.id, "is " + std::string(name(status)) + ", not running");
    }
    if (config.process && config.process->terminal) {
        return base::Error(base::ErrorKind::Unsupported,
                           "a container with a terminal cannot be checkpointed");
    }
    return base::ok();
}

base::Result<std::vector<std::string>> dump_words(const CheckpointRequest& request,
                                                  const Container& container,
                                                  const spec::oci::Config& config,
                                                  const std::string& images) {
    auto words = criu_words(request.criu);
    const auto work =
        request.criu.work_path.empty() ? images : TRY(absolute_path(request.criu.work_path));
    TRY(base::make_dirs(AT_FDCWD, work, 0700));
    words.insert(words.end(),
                 {"--tree",
                  std::to_string(container.init->pid()),
                  "--images-dir",
                  images,
                  "--work-dir",
                  work,
                  "--log-file",
                  "dump.log",
                  "-v4"});
    for (const auto& mount : config.mounts) {
        if (is_external(mount)) {
            const auto target = clean_path(mount.destination);
            words.insert(words.end(), {"--external", "mnt[" + target + "]:" + target});
        }
    }
    for (const auto& words_of_namespace : TRY(external_namespaces(config))) {
        words.insert(words.end(), {"--external", words_of_namespace});
    }
    if (request.leave_running) {
        words.emplace_back("--leave-running");
    }
    if (request.pre_dump) {
        words.emplace_back("--track-mem");
    }
    if (!request.parent_path.empty()) {
        words.insert(words.end(), {"--prev-images-dir", request.parent_path, "--track-mem"});
    }
    if (!request.page_server.empty()) {
        const auto colon = request.page_server.rfind(':');
        words.insert(words.end(),
                     {"--page-server",
                      "--address",
                      request.page_server.substr(0, colon),
                      "--port",
                      colon == std::string::npos ? "0" : request.page_server.substr(colon + 1)});
    }
    return words;
}

}  // namespace

base::Status Engine::checkpoint(const CheckpointRequest& request) {
    const auto context = TRY(Context::open(settings_, log_, faults_, false));
    auto container = TRY(lock_container(context, request.id));
    const auto config = TRY(load_config(container.dir));
    TRY(check_request(request, context, container, config));
    TRY(check_criu(settings_));
    const auto images = TRY(image_directory(request.criu));
    auto words = TRY(dump_words(request, container, config, images));
    std::vector<int> kept;
    if (request.status_fd >= 0) {
        words.insert(words.end(), {"--status-fd", std::to_string(request.status_fd)});
        kept.push_back(request.status_fd);
    }
    TRY(save_descriptors(container, images));
    TRY(run_criu(context, request.pre_dump ? "pre-dump" : "dump", std::move(words), kept));
    if (request.leave_running || request.pre_dump) {
        return base::ok();
    }
    // As runc has it: what is saved is not kept running, nor anything of it standing.
    return remove_container(context, std::move(container.dir), std::move(container.record));
}

}  // namespace warren::engine::oci
