#include "cli/common/exit_code.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

base::Result<int> version(App& app, const Arguments&) {
    app.console.print("warren version " WARREN_VERSION "\n");
    return kExitDone;
}

}  // namespace

const Verb kVersion{
    .name = "version",
    .usage = "",
    .summary = "which warren this is",
    .text = "Prints one line: 'warren version X'.",
    .example = "warren version",
    .groups = {},
    .operands = {},
    .handler = version,
    .needs_root = false,
};

}  // namespace warren::cli
