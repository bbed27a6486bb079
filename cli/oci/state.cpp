#include <array>

#include <nlohmann/json.hpp>

#include "cli/common/exit_code.hpp"
#include "cli/oci/requests.hpp"
#include "cli/oci/verb.hpp"

namespace warren::cli::oci {

namespace {

base::Result<int> state(App& app, const Arguments& arguments) {
    app.subject = container_id(arguments);
    auto engine = TRY(app.open_engine());
    app.console.print_json(engine::oci::to_json(TRY(engine.state(app.subject))));
    return kExitDone;
}

const std::array kStateGroups{kHelpGroup};

}  // namespace

const Verb kState{
    .name = "state",
    .usage = "ID",
    .summary = "print a container's state as JSON",
    .text = "The status is creating, created, running, paused or stopped, as it is at this moment.",
    .example = "warren-oci state b1",
    .groups = kStateGroups,
    .operands = kOneContainer,
    .hint = Hint::Guest,
    .handler = state,
};

}  // namespace warren::cli::oci
