#include <algorithm>
#include <array>
#include <chrono>

#include <nlohmann/json.hpp>

#include "cli/common/exit_code.hpp"
#include "cli/vps/guest_columns.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

template <typename View, typename Show>
void print_array(const App& app, const std::vector<View>& views, const Show& show) {
    base::Json array = base::Json::array();
    for (const View& view : views) {
        array.push_back(show(view));
    }
    app.console.print_json(array);
}

void print_names(const App& app, const std::vector<engine::GuestBrief>& views) {
    if (app.globals.json) {
        print_array(app, views, [](const auto& view) { return base::Json(view.name); });
        return;
    }
    std::string names;
    for (const engine::GuestBrief& view : views) {
        names += view.name + "\n";
    }
    app.console.print(names);
}

// A guest whose record cannot be read has its line in the table, and below it is said why.
template <typename View>
void print_table(const App& app,
                 const std::vector<View>& views,
                 const std::vector<GuestColumn>& columns) {
    const bool colour = app.console.settings().colour;
    app.console.print(guest_table(views, columns, std::chrono::system_clock::now(), colour));
    for (const View& view : views) {
        if (!view.problem.empty()) {
            app.console.error("list " + view.name, base::printable(view.problem));
        }
    }
}

base::Result<int> list(App& app, const Arguments& arguments) {
    const engine::Filters filters = TRY(parse_filters(arguments));
    const std::string wanted = arguments.value("columns").value_or(std::string(kDefaultColumns));
    const std::vector<GuestColumn> columns = TRY(at_option("columns", parse_columns(wanted)));
    engine::Engine engine = TRY(app.open_engine(false));
    const bool names_only = arguments.has("quiet");
    const bool all_brief =
        std::all_of(columns.begin(), columns.end(), [](const auto& c) { return c.is_brief(); });
    if (names_only) {
        print_names(app, TRY(engine.list_brief(filters)));
    } else if (app.globals.json) {
        print_array(app, TRY(engine.list(filters)), [](const auto& view) { return to_json(view); });
    } else if (all_brief) {
        print_table(app, TRY(engine.list_brief(filters)), columns);
    } else {
        print_table(app, TRY(engine.list(filters)), columns);
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
