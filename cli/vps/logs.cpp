#include <array>

#include "cli/common/exit_code.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

base::Result<int> logs(App& app, const Arguments& arguments) {
    app.subject = TRY(parse_guest_name(arguments)).str();
    const engine::LogRequest request = TRY(parse_logs(arguments));
    engine::Engine engine = TRY(app.open_engine(false));
    TRY(engine.logs(request, app.console.settings().out));
    return kExitDone;
}

constexpr std::array kLogsOptions{
    Option{"follow", 'f', "", "go on with what is printed, until the guest stops"},
    Option{"lines", 'n', "N", "only the last N lines"},
};
const std::array kLogsGroups{OptionGroup{"Logs", kLogsOptions}};

}  // namespace

const Verb kLogs{
    .name = "logs",
    .usage = "[-f] [-n N] NAME",
    .summary = "what a guest's init or command printed",
    .text = "The guest's console, kept in a file of bounded size: the oldest lines go first.",
    .example =
        "warren logs -n 20 web1\n"
        "warren logs -f web1",
    .groups = kLogsGroups,
    .operands = {"NAME", 1, 1},
    .hint = Hint::Guest,
    .handler = logs,
};

}  // namespace warren::cli
