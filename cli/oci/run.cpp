#include <array>

#include "cli/oci/requests.hpp"
#include "cli/oci/verb.hpp"

namespace warren::cli::oci {

namespace {

base::Result<int> run(App& app, const Arguments& arguments) {
    app.subject = container_id(arguments);
    const auto request = TRY(parse_run(arguments));
    auto engine = TRY(app.open_engine());
    return engine.run(request);
}

const std::array kRunGroups{kBundleGroup, kWiringGroup, kRunGroup, kHelpGroup};

}  // namespace

base::Result<engine::oci::RunRequest> parse_run(const Arguments& arguments) {
    engine::oci::RunRequest request;
    request.create = TRY(parse_create(arguments));
    request.detach = arguments.has("detach");
    request.keep = arguments.has("keep");
    return request;
}

const Verb kRun{
    .name = "run",
    .usage = "[OPTION...] ID",
    .summary = "create, start, wait and delete in one",
    .text =
        "The exit status is the program's own: 128+N when signal N killed it. With --detach it is "
        "0 as soon as "
        "the program runs, and the container stays until it is deleted.",
    .example =
        "warren-oci run --bundle /srv/b1 b1\n"
        "warren-oci run --bundle /srv/b1 --detach --pid-file /run/b1.pid b1",
    .groups = kRunGroups,
    .operands = kOneContainer,
    .handler = run,
};

}  // namespace warren::cli::oci
