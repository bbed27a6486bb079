#include <array>

#include "cli/oci/requests.hpp"
#include "cli/oci/verb.hpp"

namespace warren::cli::oci {

namespace {

base::Result<int> restore(App& app, const Arguments& arguments) {
    app.subject = container_id(arguments);
    const auto request = TRY(parse_restore(arguments));
    auto engine = TRY(app.open_engine());
    return engine.restore(request);
}

constexpr std::array kLabelOptions{
    Option{"lsm-profile", 0, "TYPE:LABEL", "another AppArmor profile or SELinux label"},
    Option{"lsm-mount-context", 0, "CONTEXT", "another SELinux context of the mounts"},
};
const std::array kRestoreGroups{
    kRestoreGroup, kRunGroup, kCriuGroup, OptionGroup{"Labels", kLabelOptions}, kHelpGroup};

}  // namespace

base::Result<engine::oci::RestoreRequest> parse_restore(const Arguments& arguments) {
    engine::oci::RestoreRequest request;
    request.create = TRY(parse_create(arguments));
    request.criu = TRY(parse_criu(arguments));
    request.detach = arguments.has("detach");
    request.keep = arguments.has("keep");
    request.lsm_profile = arguments.value("lsm-profile").value_or("");
    request.lsm_mount_context = arguments.value("lsm-mount-context").value_or("");
    return request;
}

const Verb kRestore{
    .name = "restore",
    .usage = "[OPTION...] ID",
    .summary = "let a container go on from files, by criu",
    .text = "Waits for the container as run does, unless --detach.",
    .example = "warren-oci restore --bundle /srv/b1 --image-path /srv/b1.image --detach b1",
    .groups = kRestoreGroups,
    .operands = kOneContainer,
    .handler = restore,
};

}  // namespace warren::cli::oci
