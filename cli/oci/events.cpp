#include <array>

#include "cli/common/exit_code.hpp"
#include "cli/oci/requests.hpp"
#include "cli/oci/verb.hpp"

namespace warren::cli::oci {

namespace {

base::Result<int> events(App& app, const Arguments& arguments) {
    app.subject = container_id(arguments);
    const auto request = TRY(parse_events(arguments));
    auto engine = TRY(app.open_engine());
    TRY(engine.events(request, [&app](const base::Json& event) {
        app.console.print(base::dump_json(event) + "\n");
        // Nobody reads any more: the end.
        return app.console.status().has_value();
    }));
    return kExitDone;
}

constexpr std::array kEventsOptions{
    Option{"stats", 0, "", "one event of what the container uses, then end"},
    Option{"interval", 0, "TIME", "between two of them: 5s, 1m30s, 250ms (5s)"},
};
const std::array kEventsGroups{OptionGroup{"Events", kEventsOptions}, kHelpGroup};

}  // namespace

base::Result<engine::oci::EventsRequest> parse_events(const Arguments& arguments) {
    engine::oci::EventsRequest request;
    request.id = container_id(arguments);
    request.stats = arguments.has("stats");
    if (const auto interval = arguments.value("interval")) {
        request.interval = TRY(at_option("interval", parse_duration(*interval)));
    }
    return request;
}

const Verb kEvents{
    .name = "events",
    .usage = "[--stats | --interval TIME] ID",
    .summary = "print what a container uses, and when it runs out of memory, as JSON lines",
    .text = "Each line is an object: type (stats or oom), id, data. It ends with the container.",
    .example =
        "warren-oci events --stats b1\n"
        "warren-oci events --interval 1s b1",
    .groups = kEventsGroups,
    .operands = kOneContainer,
    .hint = Hint::Guest,
    .handler = events,
};

}  // namespace warren::cli::oci
