#include <array>

#include "cli/common/exit_code.hpp"
#include "cli/oci/requests.hpp"
#include "cli/oci/verb.hpp"

namespace warren::cli::oci {

namespace {

base::Result<int> remove(App& app, const Arguments& arguments) {
    app.subject = container_id(arguments);
    auto engine = TRY(app.open_engine());
    TRY(engine.delete_container({.id = app.subject, .force = arguments.has("force")}));
    return kExitDone;
}

constexpr std::array kDeleteOptions{
    Option{"force", 'f', "", "kill it first; a container that does not exist is no error"},
};
const std::array kDeleteGroups{OptionGroup{"Deleting", kDeleteOptions}, kHelpGroup};

}  // namespace

const Verb kDelete{
    .name = "delete",
    .usage = "[--force] ID",
    .summary = "unmake a stopped container",
    .text = "Removes the cgroup and the state, then runs the poststop hooks. The bundle stays.",
    .example =
        "warren-oci delete b1\n"
        "warren-oci delete --force b1",
    .groups = kDeleteGroups,
    .operands = kOneContainer,
    .hint = Hint::Guest,
    .handler = remove,
};

}  // namespace warren::cli::oci
