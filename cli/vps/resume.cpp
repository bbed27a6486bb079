#include <array>

#include "cli/vps/batch.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

base::Result<int> resume(App& app, const Arguments& arguments) {
    return run_batch(
        app, arguments, kResume.name, [](auto& engine, const auto& names, const auto& done) {
            engine.resume(names, done);
        });
}

const std::array kResumeGroups{kBatchGroup, kJsonGroup};

}  // namespace

const Verb kResume{
    .name = "resume",
    .usage = "NAME... | --all | --label K=V",
    .summary = "let paused guests go on",
    .text = "Ends what 'warren pause' began.",
    .example = "warren resume web1",
    .groups = kResumeGroups,
    .operands = kBatchOperands,
    .hint = Hint::Guest,
    .handler = resume,
};

}  // namespace warren::cli
