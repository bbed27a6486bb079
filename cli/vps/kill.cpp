#include <array>

#include "cli/vps/batch.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

base::Result<int> kill_guests(App& app, const Arguments& arguments) {
    const int signal_number = TRY(parse_kill(arguments));
    return run_batch(
        app, arguments, kKill.name, [&](auto& engine, const auto& names, const auto& done) {
            engine.kill(names, signal_number, done);
        });
}

constexpr std::array kKillOptions{
    Option{"signal",
           0,
           "S",
           "by number or name: 9, KILL, SIGHUP, RTMIN+3 (KILL)",
           false,
           Hint::Signal},
};
const std::array kKillGroups{OptionGroup{"Signal", kKillOptions}, kBatchGroup, kJsonGroup};

}  // namespace

const Verb kKill{
    .name = "kill",
    .usage = "[--signal S] NAME... | --all | --label K=V",
    .summary = "send a signal to the guests' first process",
    .text = "Sends the signal to each guest's init or command. KILL ends the whole guest at once.",
    .example =
        "warren kill web1\n"
        "warren kill --signal HUP job1",
    .groups = kKillGroups,
    .operands = kBatchOperands,
    .hint = Hint::Guest,
    .handler = kill_guests,
};

}  // namespace warren::cli
