#include <array>

#include <nlohmann/json.hpp>

#include "cli/common/exit_code.hpp"
#include "cli/common/guest_options.hpp"
#include "cli/common/slice_options.hpp"
#include "cli/common/wall_options.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

base::Result<int> create(App& app, const Arguments& arguments) {
    const engine::CreateRequest request = TRY(parse_create(arguments));
    app.subject = request.config.name;
    engine::Engine engine = TRY(app.open_engine(!app.globals.dry_run));
    if (app.globals.dry_run) {
        app.console.print(TRY(engine.describe_plan(request)));
        return kExitDone;
    }
    const auto progress = app.progress("create " + request.config.name);
    const engine::GuestView view = TRY(engine.create(request));
    progress->finish();
    if (app.globals.json) {
        app.console.print_json(engine::to_json(view));
    } else {
        app.print_name(view.name);
    }
    return kExitDone;
}

const std::array kCreateGroups{kGuestGroup, kSliceGroup, kWallsGroup, kDryRunGroup, kJsonGroup};

}  // namespace

const Verb kCreate{
    .name = "create",
    .usage = "NAME --image IMG [OPTION...] [-- CMD [ARG...]]",
    .summary = "make a guest from an image",
    .text =
        "Makes the guest NAME and leaves it stopped. Without a command it is a machine: it runs "
        "the image's own "
        "init, as a computer does. With a command it runs just that.\n\n"
        "The guest keeps its disk, its options and its range of user ids until it is destroyed.",
    .example =
        "warren create web1 --image debian:12 --cpus 1.5 --memory 1G --label tier=web\n"
        "warren create job1 --image busybox -- sleep 600",
    .groups = kCreateGroups,
    .operands = {"NAME", 1, 1, true},
    .handler = create,
    .can_dry_run = true,
};

}  // namespace warren::cli
