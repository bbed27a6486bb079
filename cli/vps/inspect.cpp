#include <array>

#include <nlohmann/json.hpp>

#include "cli/common/exit_code.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

base::Result<int> inspect(App& app, const Arguments& arguments) {
    const base::Name name = TRY(parse_guest_name(arguments));
    app.subject = name.str();
    engine::Engine engine = TRY(app.open_engine(false));
    app.console.print_json(engine::to_json(TRY(engine.inspect(name))));
    return kExitDone;
}

const std::array kInspectGroups{kJsonGroup};

}  // namespace

const Verb kInspect{
    .name = "inspect",
    .usage = "NAME",
    .summary = "all that is known of a guest, as JSON",
    .text = "One JSON object: bytes and microseconds as integers, times as RFC 3339.",
    .example = "warren inspect web1",
    .groups = kInspectGroups,
    .operands = {"NAME", 1, 1},
    .hint = Hint::Guest,
    .handler = inspect,
};

}  // namespace warren::cli
