#include <array>
#include <limits>

#include "base/units.hpp"
#include "cli/oci/requests.hpp"
#include "cli/oci/verb.hpp"

namespace warren::cli::oci {

namespace {

base::Result<int> exec(App& app, const Arguments& arguments) {
    app.subject = container_id(arguments);
    const auto request = TRY(parse_exec(arguments));
    auto engine = TRY(app.open_engine());
    return engine.exec(request);
}

constexpr std::array kProcessOptions{
    Option{"process", 'p', "FILE", "the process as JSON; else CMD", false, Hint::File},
    Option{"tty", 't', "", "on a terminal of its own"},
    Option{"cwd", 0, "DIR", "in this directory"},
    Option{"env", 'e', "K=V", "with this environment variable", true},
    Option{"user", 'u', "UID[:GID]", "as this user"},
    Option{"additional-gids", 'g', "GID", "with this group too", true},
    Option{"cap", 'c', "CAP", "with this capability too", true},
    Option{"no-new-privs", 0, "", "without gaining privileges by programs"},
    Option{"apparmor", 0, "PROFILE", "under this AppArmor profile"},
    Option{"process-label", 0, "LABEL", "with this SELinux label"},
};
constexpr std::array kJoinOptions{
    Option{"detach", 'd', "", "return as soon as the process runs"},
    Option{"cgroup",
           0,
           "[CONTROLLER:]CGROUP",
           "in this cgroup below the container's; it must be there",
           true},
    Option{"ignore-paused", 0, "", "join a paused container too; the process waits for resume"},
};
const std::array kExecGroups{OptionGroup{"Process", kProcessOptions},
                             OptionGroup{"Joining", kJoinOptions},
                             kWiringGroup,
                             kHelpGroup};

base::Result<std::vector<std::uint32_t>> parse_gids(const Arguments& arguments) {
    std::vector<std::uint32_t> gids;
    for (const std::string& text : arguments.values("additional-gids")) {
        const auto gid =
            TRY(at_option("additional-gids",
                          base::parse_uint(text, 0, std::numeric_limits<std::uint32_t>::max())));
        gids.push_back(static_cast<std::uint32_t>(gid));
    }
    return gids;
}

}  // namespace

base::Result<engine::oci::ExecRequest> parse_exec(const Arguments& arguments) {
    engine::oci::ExecRequest request;
    request.id = container_id(arguments);
    request.process_file = arguments.value("process").value_or("");
    request.args = arguments.command();
    if (request.process_file.empty() && request.args.empty()) {
        return base::usage_error("name a command or a file for it").with_place("option --process");
    }
    if (!request.process_file.empty() && !request.args.empty()) {
        return base::usage_error("a file and a command exclude each other")
            .with_place("option --process");
    }
    request.terminal = arguments.has("tty");
    request.cwd = arguments.value("cwd");
    request.env = arguments.values("env");
    request.user = arguments.value("user");
    request.additional_gids = TRY(parse_gids(arguments));
    request.capabilities = arguments.values("cap");
    request.no_new_privs = arguments.has("no-new-privs");
    request.apparmor_profile = arguments.value("apparmor");
    request.process_label = arguments.value("process-label");
    request.cgroups = arguments.values("cgroup");
    request.ignore_paused = arguments.has("ignore-paused");
    request.detach = arguments.has("detach");
    request.wiring = TRY(parse_wiring(arguments));
    return request;
}

const Verb kExec{
    .name = "exec",
    .usage = "[OPTION...] ID CMD [ARG...] | --process FILE ID",
    .summary = "run another process in a running container",
    .text =
        "Options end at ID: what follows belongs to the command. What no option says is as in the "
        "container's "
        "own process.\n\n"
        "The exit status is the process's own: 128+N when signal N killed it, and 255 when it "
        "could not be "
        "started.",
    .example =
        "warren-oci exec b1 ps\n"
        "warren-oci exec --tty --env TERM=xterm b1 sh",
    .groups = kExecGroups,
    .operands = {"ID", 1, 1, true, true, true},
    .hint = Hint::Guest,
    .handler = exec,
    .failed = 255,
};

}  // namespace warren::cli::oci
