#include <array>

#include "cli/common/exit_code.hpp"
#include "cli/oci/verb.hpp"

namespace warren::cli::oci {

namespace {

base::Result<int> spec(App& app, const Arguments& arguments) {
    engine::oci::SpecRequest request;
    request.bundle = arguments.value("bundle").value_or(request.bundle);
    request.rootless = arguments.has("rootless");
    const auto engine = TRY(app.open_engine());
    TRY(engine.spec(request));
    return kExitDone;
}

constexpr std::array kSpecOptions{
    Option{"bundle", 'b', "DIR", "where to write it (.)", false, Hint::Directory},
    Option{"rootless", 0, "", "for an ordinary user"},
};
const std::array kSpecGroups{OptionGroup{"Config", kSpecOptions}, kHelpGroup};

}  // namespace

const Verb kSpec{
    .name = "spec",
    .usage = "[--bundle DIR] [--rootless]",
    .summary = "write a config.json to begin with",
    .text =
        "It runs sh in the directory rootfs beside it. A config.json that is there is never "
        "overwritten.",
    .example = "warren-oci spec --bundle /srv/b1",
    .groups = kSpecGroups,
    .operands = {"ID", 0, 0, false, false, true},
    .handler = spec,
};

}  // namespace warren::cli::oci
