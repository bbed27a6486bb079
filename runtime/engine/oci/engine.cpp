#include "runtime/engine/oci/engine.hpp"

#include <utility>

#include <fcntl.h>

#include <nlohmann/json.hpp>

#include "base/fd.hpp"

namespace warren::engine::oci {

std::string_view name(Status status) {
    switch (status) {
        case Status::Creating:
            return "creating";
        case Status::Created:
            return "created";
        case Status::Running:
            return "running";
        case Status::Paused:
            return "paused";
        case Status::Stopped:
            break;
    }
    return "stopped";
}

base::Json to_json(const ContainerView& view) {
    base::Json value = base::Json::object();
    value["ociVersion"] = view.oci_version;
    value["id"] = view.id;
    value["pid"] = view.pid;
    value["status"] = std::string(name(view.status));
    value["bundle"] = view.bundle;
    value["rootfs"] = view.rootfs;
    value["created"] = view.created;
    if (!view.annotations.empty()) {
        value["annotations"] = view.annotations;
    }
    value["owner"] = view.owner;
    return value;
}

Engine::Engine(Settings settings, base::Log log)
    : settings_(std::move(settings)), log_(std::move(log)) {}

namespace {

// A caller may have closed some of them; then what we open would take their numbers, and go to the container as its
// input or output.
base::Status occupy_stdio() {
    for (int fd = 0; fd <= 2; ++fd) {
        if (::fcntl(fd, F_GETFD) >= 0) {
            continue;
        }
        auto null = TRY(base::open_at(AT_FDCWD, "/dev/null", O_RDWR));
        if (null.get() == fd) {
            (void)null.release();  // for as long as this process lives
        }
    }
    return base::ok();
}

}  // namespace

base::Result<Engine> Engine::open(const Settings& settings, const base::Log& log) {
    TRY(occupy_stdio());
    return Engine(settings, log);
}

}  // namespace warren::engine::oci
