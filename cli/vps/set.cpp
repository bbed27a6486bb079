#include <array>

#include <nlohmann/json.hpp>

#include "cli/common/exit_code.hpp"
#include "cli/common/slice_options.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

void print(const App& app, const engine::SetOutcome& outcome) {
    if (app.globals.json) {
        base::Json json;
        json["live"] = outcome.live;
        json["pending"] = outcome.pending;
        app.console.print_json(json);
        return;
    }
    if (app.globals.quiet) {
        return;
    }
    for (const std::string& what : outcome.live) {
        app.console.print(what + ": in effect\n");
    }
    for (const std::string& what : outcome.pending) {
        app.console.print(what + ": waits for the next start\n");
    }
}

base::Result<int> set(App& app, const Arguments& arguments) {
    app.subject = TRY(parse_guest_name(arguments)).str();
    const SetRequest request = TRY(parse_set(arguments));
    engine::Engine engine = TRY(app.open_engine(false));
    print(app, TRY(engine.set(request.name, request.update)));
    return kExitDone;
}

constexpr std::array kSetOptions{
    Option{"hostname", 0, "H", "host name inside"},
    Option{"label", 0, "K=V", "a mark to find the guest by; an empty V removes it", true},
    Option{"env", 'e', "K=V", "environment variable for the init or the command", true},
};
const std::array kSetGroups{kSliceGroup, OptionGroup{"Guest", kSetOptions}, kJsonGroup};

}  // namespace

const Verb kSet{
    .name = "set",
    .usage = "NAME OPTION...",
    .summary = "change a guest's slice and options",
    .text =
        "What the kernel can change in a running guest takes effect at once; the rest waits for "
        "the next start. "
        "One line for each option says which.",
    .example =
        "warren set web1 --memory 2G --cpus none\n"
        "warren set web1 --label tier=db",
    .groups = kSetGroups,
    .operands = {"NAME", 1, 1},
    .hint = Hint::Guest,
    .handler = set,
};

}  // namespace warren::cli
