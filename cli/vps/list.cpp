#include <array>
#include <chrono>

#include <nlohmann/json.hpp>

#include "cli/common/exit_code.hpp"
#include "cli/vps/guest_columns.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

void print_json(const App& app, const std::vector<engine::GuestView>& views, bool names_only) {
    base::Json array = base::Json::array();
    for (const engine::GuestView& view : views) {
        array.push_back(names_only ? base::Json(view.name) : engine::to_json(view));
    }
    app.console.print_json(array);
}

// A guest whose record cannot be read has its line in the table, and here says why.
void tell_problems(const App& app, const std::vector<engine::GuestView>& views) {
    for (const engine::GuestView& view : views) {
        if (!view.problem.empty()) {
            app.console.error("list " + view.name, base::printable(view.problem));
        }
    }
}

base::Result<int> list(App& app, const Arguments& arguments) {
    const Filters filters = TRY(parse_filters(arguments));
    const std::string wanted = arguments.value("columns").value_or(std::string(kDefaultColumns));
    const std::vector<GuestColumn> columns = TRY(at_option("columns", parse_columns(wanted)));
    engine::Engine engine = TRY(app.open_engine(false));
    const std::vector<engine::GuestView> views = TRY(engine.list(filters));
    const bool names_only = arguments.has("quiet");
    if (app.globals.json) {
        print_json(app, views, names_only);
    } else if (names_only) {
        std::string names;
        for (const engine::GuestView& view : views) {
            names += view.name + "\n";
        }
        app.console.print(names);
    } else {
        const bool colour = app.console.settings().colour;
        app.console.print(guest_table(views, columns, std::chrono::system_clock::now(), colour));
        tell_problems(app, views);
    }
    return kExitDone;
}

constexpr std::array kListOptions{
    Option{"quiet", 'q', "", "names only"},
    Option{"columns", 'o', "COL,...", "these columns", false, Hint::Column},
    Option{"filter",
           0,
           "K=V",
           "only guests whose name, status, image or label is V; a label as label=K=V",
           true},
};
const std::array kListGroups{OptionGroup{"Listing", kListOptions}, kJsonGroup};

}  // namespace

const Verb kList{
    .name = "list",
    .usage = "[-q] [-o COL,...] [--filter K=V]... [--json]",
    .summary = "list guests",
    .text =
        "One line a guest. IDS is the first of the 65536 host ids its users have; WALLS is what "
        "weakens its "
        "isolation, and '-' when nothing does; AGE is how long it has been running.",
    .example =
        "warren list\n"
        "warren list -o name,status,memory,labels --filter status=running\n"
        "warren list -q --filter label=tier=web",
    .groups = kListGroups,
    .operands = {},
    .handler = list,
};

}  // namespace warren::cli
