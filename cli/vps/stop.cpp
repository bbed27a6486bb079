#include <array>

#include "cli/vps/batch.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

base::Result<int> stop(App& app, const Arguments& arguments) {
    const engine::StopOptions options = TRY(parse_stop(arguments));
    return run_batch(
        app, arguments, kStop.name, [&](auto& engine, const auto& names, const auto& done) {
            engine.stop(names, options, done);
        });
}

const std::array kStopGroups{kStopGroup, kBatchGroup, kJsonGroup};

}  // namespace

const Verb kStop{
    .name = "stop",
    .usage = "[--time SECONDS] NAME... | --all | --label K=V",
    .summary = "stop guests",
    .text =
        "Asks each guest's init to shut down, in the way that init knows; what still runs after "
        "the time is "
        "killed. A guest that is stopped already is left as it is.",
    .example =
        "warren stop web1\n"
        "warren stop --time 60 --all",
    .groups = kStopGroups,
    .operands = kBatchOperands,
    .hint = Hint::Guest,
    .handler = stop,
};

}  // namespace warren::cli
