#include <array>

#include <nlohmann/json.hpp>

#include "cli/common/exit_code.hpp"
#include "cli/oci/ps_program.hpp"
#include "cli/oci/requests.hpp"
#include "cli/oci/verb.hpp"

namespace warren::cli::oci {

namespace {

base::Result<int> ps(App& app, const Arguments& arguments) {
    app.subject = container_id(arguments);
    const bool json = TRY(wants_json(arguments));
    if (json && !arguments.command().empty()) {
        return base::usage_error("takes no options of ps beside json")
            .with_place("option --format");
    }
    auto engine = TRY(app.open_engine());
    const std::vector<pid_t> pids = TRY(engine.ps({app.subject}));
    if (json) {
        app.console.print(base::dump_json(base::Json(pids)) + "\n");
    } else {
        app.console.print(TRY(select_processes(TRY(run_ps(arguments.command())), pids)));
    }
    return kExitDone;
}

constexpr std::array kPsOptions{
    Option{"format", 'f', "table|json", "json: an array of pids (table)"},
};
const std::array kPsGroups{OptionGroup{"Printing", kPsOptions}, kHelpGroup};

}  // namespace

const Verb kPs{
    .name = "ps",
    .usage = "[--format FORMAT] ID [PS OPTION...]",
    .summary = "list a container's processes",
    .text =
        "The table is made by the host's ps(1) with the options behind ID (-ef), which must show "
        "the column PID. "
        "Pids are the host's.",
    .example =
        "warren-oci ps b1\n"
        "warren-oci ps b1 -o pid,stat,cmd -e\n"
        "warren-oci ps --format json b1",
    .groups = kPsGroups,
    .operands = {"ID", 1, 1, true, true, true},
    .hint = Hint::Guest,
    .handler = ps,
};

}  // namespace warren::cli::oci
