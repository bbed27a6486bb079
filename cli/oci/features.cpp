#include <array>

#include <nlohmann/json.hpp>

#include "cli/common/exit_code.hpp"
#include "cli/oci/verb.hpp"

namespace warren::cli::oci {

namespace {

base::Result<int> features(App& app, const Arguments& /*arguments*/) {
    const auto engine = TRY(app.open_engine());
    app.console.print_json(engine.features());
    return kExitDone;
}

const std::array kFeaturesGroups{kHelpGroup};

}  // namespace

const Verb kFeatures{
    .name = "features",
    .usage = "",
    .summary = "print what this program can do on this kernel, as JSON",
    .text = "",
    .example = "warren-oci features",
    .groups = kFeaturesGroups,
    .operands = {"ID", 0, 0, false, false, true},
    .handler = features,
};

}  // namespace warren::cli::oci
