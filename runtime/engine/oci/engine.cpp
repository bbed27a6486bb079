#include "runtime/engine/oci/engine.hpp"

#include <utility>

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

base::Result<Engine> Engine::open(const Settings& settings, const base::Log& log) {
    return Engine(settings, log);
}

}  // namespace warren::engine::oci
