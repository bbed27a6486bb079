#include <array>

#include "cli/vps/batch.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

base::Result<int> restart(App& app, const Arguments& arguments) {
    const engine::StopOptions options = TRY(parse_stop(arguments));
    return run_batch(
        app, arguments, kRestart.name, [&](auto& engine, const auto& names, const auto& done) {
            engine.restart(names, options, done);
        });
}

const std::array kRestartGroups{kStopGroup, kBatchGroup, kJsonGroup};

}  // namespace

const Verb kRestart{
    .name = "restart",
    .usage = "[--time SECONDS] NAME... | --all | --label K=V",
    .summary = "stop guests and start them again",
    .text = "Stops each guest as 'warren stop' does and starts it with the options it has now.",
    .example = "warren restart web1",
    .groups = kRestartGroups,
    .operands = kBatchOperands,
    .hint = Hint::Guest,
    .handler = restart,
};

}  // namespace warren::cli
