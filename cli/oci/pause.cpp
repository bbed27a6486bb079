#include <array>

#include "cli/common/exit_code.hpp"
#include "cli/oci/requests.hpp"
#include "cli/oci/verb.hpp"

namespace warren::cli::oci {

namespace {

base::Result<int> pause(App& app, const Arguments& arguments) {
    app.subject = container_id(arguments);
    auto engine = TRY(app.open_engine());
    TRY(engine.pause(app.subject));
    return kExitDone;
}

const std::array kPauseGroups{kHelpGroup};

}  // namespace

const Verb kPause{
    .name = "pause",
    .usage = "ID",
    .summary = "freeze all processes of a container",
    .text = "The processes keep their memory and get no time until resume.",
    .example = "warren-oci pause b1",
    .groups = kPauseGroups,
    .operands = kOneContainer,
    .hint = Hint::Guest,
    .handler = pause,
};

}  // namespace warren::cli::oci
