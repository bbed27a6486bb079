#include <array>

#include "cli/vps/batch.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

base::Result<int> pause_guests(App& app, const Arguments& arguments) {
    return run_batch(
        app, arguments, kPause.name, [](auto& engine, const auto& names, const auto& done) {
            engine.pause(names, done);
        });
}

const std::array kPauseGroups{kBatchGroup, kJsonGroup};

}  // namespace

const Verb kPause{
    .name = "pause",
    .usage = "NAME... | --all | --label K=V",
    .summary = "freeze guests where they stand",
    .text = "No process of a paused guest runs until 'warren resume'. Its memory stays taken.",
    .example = "warren pause web1",
    .groups = kPauseGroups,
    .operands = kBatchOperands,
    .hint = Hint::Guest,
    .handler = pause_guests,
};

}  // namespace warren::cli
