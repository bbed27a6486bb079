#include <array>

#include "cli/common/exit_code.hpp"
#include "cli/common/guest_options.hpp"
#include "cli/common/slice_options.hpp"
#include "cli/common/wall_options.hpp"
#include "cli/vps/attach.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

base::Result<int> run(App& app, const Arguments& arguments) {
    const engine::RunRequest request = TRY(parse_run(arguments));
    app.subject = request.config.name;
    engine::Engine engine = TRY(app.open_engine(!app.globals.dry_run));
    if (app.globals.dry_run) {
        app.console.print(TRY(engine.describe_plan({request.config})));
        return kExitDone;
    }
    return report_run(app, kRun.name, TRY(engine.run(request)), request.stdio.detach);
}

constexpr std::array kRunOptions{
    Option{"name", 0, "N", "the guest's name (one is chosen)"},
    Option{"rm", 0, "", "destroy the guest when it ends; its disk need not survive a power cut"},
};
const std::array kRunGroups{OptionGroup{"Running", kRunOptions},
                            kStdioGroup,
                            kGuestGroup,
                            kSliceGroup,
                            kWallsGroup,
                            kDryRunGroup,
                            kJsonGroup};

}  // namespace

const Verb kRun{
    .name = "run",
    .usage = "--image IMG [OPTION...] [--] [CMD [ARG...]]",
    .summary = "create a guest and start it",
    .text =
        "Makes a guest, starts it, shows what it prints and waits until it ends; with -d it is "
        "left running and "
        "its name is printed. Options end at the first word that is none: what follows is the "
        "command. Without a "
        "command the guest is a machine and shows its console.\n\n"
        "The exit status is the command's own: 128+N when signal N killed it, 127 when it was not "
        "found, 126 when "
        "it cannot be invoked, and 125 when warren itself failed.",
    .example =
        "warren run --rm --image busybox -- echo hello\n"
        "warren run --rm -i -t --image debian:12 -- bash\n"
        "warren run -d --name web1 --image debian:12 --memory 1G",
    .groups = kRunGroups,
    .operands = {"CMD", 0, 0, true, true},
    .handler = run,
    .exit = Exit::Commands,
    .can_dry_run = true,
};

}  // namespace warren::cli
