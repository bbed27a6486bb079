#include <array>

#include <nlohmann/json.hpp>

#include "cli/common/exit_code.hpp"
#include "cli/vps/findings.hpp"
#include "cli/vps/requests.hpp"
#include "cli/vps/verb.hpp"

namespace warren::cli {

namespace {

base::Result<int> doctor(App& app, const Arguments&) {
    engine::Engine engine = TRY(app.open_engine(false));
    const std::vector<engine::Finding> findings = TRY(engine.doctor());
    if (app.globals.json) {
        base::Json array = base::Json::array();
        for (const engine::Finding& finding : findings) {
            array.push_back(engine::to_json(finding));
        }
        app.console.print_json(array);
    } else {
        app.console.print(findings_text(findings, app.console.settings().colour));
    }
    return host_can(findings) ? kExitDone : kExitFailed;
}

const std::array kDoctorGroups{kJsonGroup};

}  // namespace

const Verb kDoctor{
    .name = "doctor",
    .usage = "",
    .summary = "what this host can and cannot do",
    .text =
        "Looks at the kernel, the cgroup controllers, the file systems and the limits of this "
        "host. What is 'warn' "
        "will bite some guests; what is 'cannot' is refused when it is asked for. The arrow says "
        "what to do about "
        "it. The exit status is 1 when no guest can run at all.",
    .example = "warren doctor",
    .groups = kDoctorGroups,
    .operands = {},
    .handler = doctor,
};

}  // namespace warren::cli
