#include <array>

#include "cli/vps/attach.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

base::Result<int> exec(App& app, const Arguments& arguments) {
    app.subject = TRY(parse_guest_name(arguments)).str();
    const engine::ExecRequest request = TRY(parse_exec(arguments));
    engine::Engine engine = TRY(app.open_engine(false));
    return report_run(app, kExec.name, TRY(engine.exec(request)), false);
}

constexpr std::array kExecOptions{
    Option{"user", 'u', "USER[:GROUP]", "as this user of the guest, by name or number (root)"},
    Option{"workdir", 'w', "DIR", "in this directory (the user's home)"},
    Option{"env", 'e', "K=V", "with this environment variable", true},
};
const std::array kExecGroups{kStdioGroup, OptionGroup{"Command", kExecOptions}};

}  // namespace

const Verb kExec{
    .name = "exec",
    .usage = "[OPTION...] NAME [--] CMD [ARG...]",
    .summary = "run a command in a running guest",
    .text =
        "Options end at NAME: what follows belongs to the command.\n\n"
        "The exit status is the command's own: 128+N when signal N killed it, 127 when it was not "
        "found, 126 when "
        "it cannot be invoked, and 125 when warren itself failed.",
    .example =
        "warren exec web1 systemctl is-system-running\n"
        "warren exec -i -t -u www-data web1 bash -l",
    .groups = kExecGroups,
    .operands = {"NAME", 1, 1, true, true},
    .hint = Hint::Guest,
    .handler = exec,
    .exit = Exit::Commands,
};

}  // namespace warren::cli
