#include <array>

#include "cli/common/exit_code.hpp"
#include "cli/vps/batch.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

base::Result<int> print_plans(App& app, const Arguments& arguments) {
    const engine::Selection selection = TRY(parse_selection(arguments));
    engine::Engine engine = TRY(app.open_engine(false));
    for (const base::Name& name : TRY(engine.select(selection))) {
        app.subject = name.str();
        app.console.print(TRY(engine.describe_start(name)));
    }
    return kExitDone;
}

base::Result<int> start(App& app, const Arguments& arguments) {
    const engine::Engine::StartOptions options = TRY(parse_start(arguments));
    if (app.globals.dry_run) {
        return print_plans(app, arguments);
    }
    return run_batch(
        app, arguments, kStart.name, [&](auto& engine, const auto& names, const auto& done) {
            engine.start(names, options, done);
        });
}

constexpr std::array kStartOptions{
    Option{"wait", 0, "", "until the guest's init says that it is up"},
    Option{"time", 0, "SECONDS", "with --wait: how long at most (60)"},
};
const std::array kStartGroups{
    OptionGroup{"Starting", kStartOptions}, kBatchGroup, kDryRunGroup, kJsonGroup};

}  // namespace

const Verb kStart{
    .name = "start",
    .usage = "NAME... | --all | --label K=V [--wait]",
    .summary = "start guests",
    .text =
        "Starts guests that are stopped, on all processors, and prints the name of each that "
        "runs, as they come. While the host is short of memory or I/O the next one waits, for 5 "
        "seconds at most. A guest that cannot be started has its line on standard error; the "
        "others are started all the same.",
    .example =
        "warren start web1 web2\n"
        "warren start --label tier=web --wait",
    .groups = kStartGroups,
    .operands = kBatchOperands,
    .hint = Hint::Guest,
    .handler = start,
    .can_dry_run = true,
};

}  // namespace warren::cli
