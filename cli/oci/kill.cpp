#include <array>

#include "cli/common/exit_code.hpp"
#include "cli/common/signal_name.hpp"
#include "cli/oci/requests.hpp"
#include "cli/oci/verb.hpp"

namespace warren::cli::oci {

namespace {

base::Result<int> kill(App& app, const Arguments& arguments) {
    app.subject = container_id(arguments);
    const auto request = TRY(parse_kill(arguments));
    auto engine = TRY(app.open_engine());
    TRY(engine.kill(request));
    return kExitDone;
}

constexpr std::array kKillOptions{
    Option{"all", 'a', "", "to every process of the container, also when the first one is gone"},
};
const std::array kKillGroups{OptionGroup{"Signal", kKillOptions}, kHelpGroup};

}  // namespace

base::Result<engine::oci::KillRequest> parse_kill(const Arguments& arguments) {
    engine::oci::KillRequest request;
    request.id = container_id(arguments);
    request.all = arguments.has("all");
    if (arguments.operands().size() > 1) {
        const std::string& text = arguments.operands()[1];
        // 0 asks whether the process is there.
        request.signal_number = text == "0" ? 0 : TRY(parse_signal(text));
    }
    return request;
}

const Verb kKill{
    .name = "kill",
    .usage = "[--all] ID [SIGNAL]",
    .summary = "send a signal to a container's first process",
    .text =
        "SIGNAL is a number or a name, with or without SIG: 9, KILL, SIGTERM, RTMIN+3. Without one "
        "it is TERM.",
    .example =
        "warren-oci kill b1\n"
        "warren-oci kill --all b1 KILL",
    .groups = kKillGroups,
    .operands = {"ID", 1, 2, false, false, true},
    .hint = Hint::Guest,
    .handler = kill,
};

}  // namespace warren::cli::oci
