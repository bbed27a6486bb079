#include <array>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "base/units.hpp"
#include "cli/common/exit_code.hpp"
#include "cli/common/table.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

std::string cpu_time(std::uint64_t millis) {
    std::array<char, 32> text{};
    const std::uint64_t seconds = millis / 1000;
    (void)std::snprintf(text.data(),
                        text.size(),
                        "%llu:%02llu.%02llu",
                        static_cast<unsigned long long>(seconds / 60),
                        static_cast<unsigned long long>(seconds % 60),
                        static_cast<unsigned long long>(millis % 1000 / 10));
    return text.data();
}

std::string process_table(const std::vector<engine::ProcessView>& processes, bool colour) {
    Table table({{"PID", true},
                 {"PARENT", true},
                 {"HOST PID", true},
                 {"USER"},
                 {"STATE"},
                 {"CPU TIME", true},
                 {"MEMORY", true},
                 {"COMMAND"}});
    for (const engine::ProcessView& process : processes) {
        table.add({std::to_string(process.guest_pid),
                   std::to_string(process.guest_parent),
                   std::to_string(process.host_pid),
                   process.user,
                   std::string(1, process.state),
                   cpu_time(process.cpu_millis),
                   base::format_size(process.resident_bytes),
                   process.command});
    }
    return table.text(colour);
}

base::Result<int> top(App& app, const Arguments& arguments) {
    const base::Name name = TRY(parse_guest_name(arguments));
    app.subject = name.str();
    engine::Engine engine = TRY(app.open_engine(false));
    const std::vector<engine::ProcessView> processes = TRY(engine.top(name));
    if (app.globals.json) {
        base::Json array = base::Json::array();
        for (const engine::ProcessView& process : processes) {
            array.push_back(engine::to_json(process));
        }
        app.console.print_json(array);
    } else {
        app.console.print(process_table(processes, app.console.settings().colour));
    }
    return kExitDone;
}

const std::array kTopGroups{kJsonGroup};

}  // namespace

const Verb kTop{
    .name = "top",
    .usage = "NAME",
    .summary = "the processes of a running guest",
    .text =
        "PID and PARENT are as the guest sees them, HOST PID as the host does. STATE is a letter "
        "of ps(1); "
        "MEMORY is what is resident.",
    .example = "warren top web1",
    .groups = kTopGroups,
    .operands = {"NAME", 1, 1},
    .hint = Hint::Guest,
    .handler = top,
};

}  // namespace warren::cli
