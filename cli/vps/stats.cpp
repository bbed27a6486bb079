#include <array>

#include <time.h>

#include <nlohmann/json.hpp>

#include "cli/common/exit_code.hpp"
#include "cli/common/guest_options.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/stats_table.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

constexpr std::chrono::seconds kPeriod{1};
constexpr std::string_view kHomeAndClear = "\x1b[H\x1b[J";

// The named guests, else all that run now.
base::Result<Reading> read(engine::Engine& engine, const std::vector<base::Name>& names) {
    Reading reading{std::chrono::steady_clock::now(), {}};
    const bool everyone = names.empty();
    engine::Selection selection{names, {}, everyone};
    for (const base::Name& name : TRY(engine.select(selection))) {
        base::Result<engine::StatsView> view = engine.stats(name);
        if (!view && everyone) {
            continue;  // gone or unreadable since it was listed: list says why
        }
        const bool idle = view && view.value().status == engine::GuestStatus::Stopped;
        if (!everyone || !idle) {
            reading.guests.push_back(TRY(std::move(view)));
        }
    }
    return reading;
}

void print(const App& app, const Reading& now, const Reading& before, bool watch) {
    const Console::Settings& settings = app.console.settings();
    if (app.globals.json) {
        base::Json array = base::Json::array();
        for (const engine::StatsView& view : now.guests) {
            array.push_back(engine::to_json(view));
        }
        app.console.print(base::dump_json(array, watch ? -1 : 2) + "\n");
        return;
    }
    const std::string lead = watch && settings.out_terminal ? std::string(kHomeAndClear) : "";
    const std::string gap = watch && !settings.out_terminal ? "\n" : "";
    app.console.print(lead + stats_table(now, before, settings.colour) + gap);
}

base::Result<int> stats(App& app, const Arguments& arguments) {
    const std::vector<base::Name> names = TRY(parse_guests(arguments.operands()));
    const bool watch = arguments.has("watch");
    engine::Engine engine = TRY(app.open_engine(false));
    Reading before;
    do {
        Reading now = TRY(read(engine, names));
        print(app, now, before, watch);
        before = std::move(now);
        const timespec pause{kPeriod.count(), 0};
        if (watch) {
            (void)nanosleep(&pause, nullptr);
        }
    } while (watch && app.console.status());
    return kExitDone;
}

constexpr std::array kStatsOptions{
    Option{"watch", 0, "", "every second anew, until interrupted; with --json one line each"},
};
const std::array kStatsGroups{OptionGroup{"Watching", kStatsOptions}, kJsonGroup};

}  // namespace

const Verb kStats{
    .name = "stats",
    .usage = "[NAME...] [--watch]",
    .summary = "what guests use",
    .text =
        "The named guests, else all that run. CPU is the share of one CPU since the last reading, "
        "and needs "
        "--watch; MEMORY and PIDS show the limit behind what is used. A '-' is what this host "
        "cannot count: "
        "'warren doctor' says why.",
    .example =
        "warren stats\n"
        "warren stats web1 --watch",
    .groups = kStatsGroups,
    .operands = {"NAME", 0, kAnyNumber},
    .hint = Hint::Guest,
    .handler = stats,
};

}  // namespace warren::cli
