#include <array>

#include <nlohmann/json.hpp>

#include "cli/common/exit_code.hpp"
#include "cli/common/table.hpp"
#include "cli/oci/requests.hpp"
#include "cli/oci/verb.hpp"

namespace warren::cli::oci {

namespace {

using engine::oci::ContainerView;

std::string table(const std::vector<ContainerView>& views) {
    Table rows({{"ID"}, {"PID", true}, {"STATUS"}, {"BUNDLE"}, {"CREATED"}, {"OWNER"}});
    for (const ContainerView& view : views) {
        rows.add({view.id,
                  std::to_string(view.pid),
                  std::string(engine::oci::name(view.status)),
                  view.bundle,
                  view.created,
                  view.owner});
    }
    return rows.text(false);
}

base::Result<int> list(App& app, const Arguments& arguments) {
    const bool json = TRY(wants_json(arguments));
    auto engine = TRY(app.open_engine());
    const auto views = TRY(engine.list());
    if (arguments.has("quiet")) {
        for (const ContainerView& view : views) {
            app.console.print(view.id + "\n");
        }
    } else if (json) {
        base::Json all = base::Json::array();
        for (const ContainerView& view : views) {
            all.push_back(engine::oci::to_json(view));
        }
        app.console.print(base::dump_json(all) + "\n");
    } else {
        app.console.print(table(views));
    }
    return kExitDone;
}

constexpr std::array kListOptions{
    Option{"format", 'f', "table|json", "how to print them (table)"},
    Option{"quiet", 'q', "", "only the ids"},
};
const std::array kListGroups{OptionGroup{"Printing", kListOptions}, kHelpGroup};

}  // namespace

const Verb kList{
    .name = "list",
    .usage = "[--format FORMAT] [--quiet]",
    .summary = "list the containers below --root",
    .text = "",
    .example =
        "warren-oci list\n"
        "warren-oci --root /run/containerd/runc/default list --format json",
    .groups = kListGroups,
    .operands = {"ID", 0, 0, false, false, true},
    .handler = list,
};

}  // namespace warren::cli::oci
