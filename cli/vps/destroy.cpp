#include <array>

#include "cli/vps/batch.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

base::Result<int> destroy(App& app, const Arguments& arguments) {
    const bool force = arguments.has("force");
    return run_batch(
        app, arguments, kDestroy.name, [&](auto& engine, const auto& names, const auto& done) {
            engine.destroy(names, force, done);
        });
}

constexpr std::array kDestroyOptions{
    Option{"force", 0, "", "running guests too: they are killed first"},
};
const std::array kDestroyGroups{
    OptionGroup{"Destroying", kDestroyOptions}, kBatchGroup, kJsonGroup};

}  // namespace

const Verb kDestroy{
    .name = "destroy",
    .usage = "[--force] NAME... | --all | --label K=V",
    .summary = "remove guests with their disks",
    .text = "Nothing of a destroyed guest is left, and nothing brings it back. Its image stays.",
    .example =
        "warren destroy web1\n"
        "warren destroy --force --all",
    .groups = kDestroyGroups,
    .operands = kBatchOperands,
    .hint = Hint::Guest,
    .handler = destroy,
};

}  // namespace warren::cli
