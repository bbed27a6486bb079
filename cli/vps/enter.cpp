#include <unistd.h>

#include "cli/vps/attach.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

base::Result<int> enter(App& app, const Arguments& arguments) {
    const engine::ExecRequest request = TRY(parse_enter(arguments, isatty(STDIN_FILENO) == 1));
    app.subject = request.name.str();
    engine::Engine engine = TRY(app.open_engine(false));
    return report_run(app, kEnter.name, TRY(engine.exec(request)), false);
}

}  // namespace

const Verb kEnter{
    .name = "enter",
    .usage = "NAME",
    .summary = "a login shell as root in a running guest",
    .text =
        "Runs root's own shell as a login shell, on a terminal of the guest's when standard input "
        "is one. The "
        "exit status is the shell's, and 125 when warren itself failed.",
    .example = "warren enter web1",
    .groups = {},
    .operands = {"NAME", 1, 1},
    .hint = Hint::Guest,
    .handler = enter,
    .exit = Exit::Commands,
};

}  // namespace warren::cli
