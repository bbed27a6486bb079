#include <array>

#include "cli/common/exit_code.hpp"
#include "cli/oci/requests.hpp"
#include "cli/oci/verb.hpp"

namespace warren::cli::oci {

namespace {

base::Result<int> start(App& app, const Arguments& arguments) {
    app.subject = container_id(arguments);
    auto engine = TRY(app.open_engine());
    TRY(engine.start({app.subject}));
    return kExitDone;
}

const std::array kStartGroups{kHelpGroup};

}  // namespace

const Verb kStart{
    .name = "start",
    .usage = "ID",
    .summary = "let a created container run its program",
    .text =
        "Runs the startContainer hooks in the container, its program, and then the poststart "
        "hooks. A program that cannot be run is told on the container's standard error and is a "
        "warning here; the container ends with 127 or 126.",
    .example = "warren-oci start b1",
    .groups = kStartGroups,
    .operands = kOneContainer,
    .hint = Hint::Guest,
    .handler = start,
};

}  // namespace warren::cli::oci
