#include "runtime/state/oci/state.hpp"

#include <nlohmann/json.hpp>

namespace warren::state::oci {

using base::Json;

Json to_json(const State& state) {
    Json out = Json::object();
    out["ociVersion"] = state.oci_version;
    out["id"] = state.id;
    out["status"] = state.status;
    if (state.pid != 0) {
        out["pid"] = state.pid;
    }
    out["bundle"] = state.bundle;
    if (!state.annotations.empty()) {
        out["annotations"] = state.annotations;
    }
    return out;
}

Json to_json(const ContainerProcessState& state) {
    Json out = Json::object();
    out["ociVersion"] = state.oci_version;
    if (!state.fds.empty()) {
        out["fds"] = state.fds;
    }
    out["pid"] = state.pid;
    if (!state.metadata.empty()) {
        out["metadata"] = state.metadata;
    }
    out["state"] = to_json(state.state);
    return out;
}

}  // namespace warren::state::oci
