#include <array>

#include "cli/common/exit_code.hpp"
#include "cli/oci/requests.hpp"
#include "cli/oci/verb.hpp"

namespace warren::cli::oci {

namespace {

base::Result<int> resume(App& app, const Arguments& arguments) {
    app.subject = container_id(arguments);
    auto engine = TRY(app.open_engine());
    TRY(engine.resume(app.subject));
    return kExitDone;
}

const std::array kResumeGroups{kHelpGroup};

}  // namespace

const Verb kResume{
    .name = "resume",
    .usage = "ID",
    .summary = "let a paused container go on",
    .text = "",
    .example = "warren-oci resume b1",
    .groups = kResumeGroups,
    .operands = kOneContainer,
    .hint = Hint::Guest,
    .handler = resume,
};

}  // namespace warren::cli::oci
