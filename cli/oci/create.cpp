#include <array>

#include "cli/common/exit_code.hpp"
#include "cli/oci/requests.hpp"
#include "cli/oci/verb.hpp"

namespace warren::cli::oci {

namespace {

base::Result<int> create(App& app, const Arguments& arguments) {
    app.subject = container_id(arguments);
    const auto request = TRY(parse_create(arguments));
    auto engine = TRY(app.open_engine());
    TRY(engine.create(request));
    return kExitDone;
}

const std::array kCreateGroups{kBundleGroup, kWiringGroup, kHelpGroup};

}  // namespace

const Verb kCreate{
    .name = "create",
    .usage = "[OPTION...] ID",
    .summary = "make a container of a bundle; its program waits for start",
    .text =
        "Makes the namespaces, the cgroup and the mounts of BUNDLE/config.json and runs the "
        "prestart, "
        "createRuntime and createContainer hooks. The program itself is looked up and run by "
        "start.",
    .example = "warren-oci create --bundle /srv/b1 --pid-file /run/b1.pid b1",
    .groups = kCreateGroups,
    .operands = kOneContainer,
    .handler = create,
};

}  // namespace warren::cli::oci
