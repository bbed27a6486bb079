#include "cli/oci/app.hpp"

#include <array>

namespace warren::cli::oci {

namespace {

using engine::oci::Rootless;

constexpr std::array kGlobalOptions{
    Option{"root",
           0,
           "DIR",
           "where the containers' state is (/run/warren-oci; for an ordinary user "
           "$XDG_RUNTIME_DIR/warren-oci)",
           false,
           Hint::Directory},
    Option{"log", 0, "FILE", "append errors and warnings to this file", false, Hint::File},
    Option{"log-format", 0, "text|json", "how the log is written (text)"},
    Option{"debug", 0, "", "log debug messages too"},
    Option{
        "systemd-cgroup", 0, "", "let systemd make the cgroups: cgroupsPath is SLICE:PREFIX:NAME"},
    Option{"cgroup-manager",
           0,
           "cgroupfs|systemd|disabled",
           "who makes the cgroups; disabled: the container stays in its caller's (cgroupfs)"},
    Option{"rootless",
           0,
           "true|false|auto",
           "go without what an ordinary user cannot have: cgroups that are not delegated (auto)"},
    Option{"criu", 0, "FILE", "the program for checkpoint and restore (criu)", false, Hint::File},
    Option{"version", 'v', "", "print the versions"},
    Option{"help", 'h', "", "this text"},
};

base::Result<Rootless> parse_rootless(const std::string& text) {
    if (text == "auto") {
        return Rootless::Auto;
    }
    if (text == "true" || text == "false") {
        return text == "true" ? Rootless::Yes : Rootless::No;
    }
    return base::usage_error("'" + text + "' is not true, false or auto");
}

base::Status apply_manager(const std::string& manager, engine::oci::Settings& settings) {
    if (manager != "systemd" && manager != "cgroupfs" && manager != "disabled") {
        return base::usage_error("'" + manager + "' is not systemd, cgroupfs or disabled")
            .with_place("option --cgroup-manager");
    }
    settings.systemd_cgroup = settings.systemd_cgroup || manager == "systemd";
    settings.cgroup_disabled = manager == "disabled";
    return base::ok();
}

base::Status apply_root(const std::string& root, const std::string& here, std::string& out) {
    if (root.empty()) {
        return base::usage_error("an empty directory name").with_place("option --root");
    }
    if (root.front() != '/' && here.empty()) {
        return base::usage_error("'" + root + "' is relative, and the working directory is gone")
            .with_place("option --root");
    }
    out = root.front() == '/' ? root : here + "/" + root;
    return base::ok();
}

}  // namespace

const OptionGroup kGlobalGroup{"Global options, before the verb", kGlobalOptions};

base::Result<Globals> parse_globals(const Arguments& arguments, const std::string& here) {
    Globals globals;
    if (const auto root = arguments.value("root")) {
        TRY(apply_root(*root, here, globals.settings.root));
    }
    globals.log.path = arguments.value("log").value_or("");
    globals.log.debug = arguments.has("debug");
    const std::string format = arguments.value("log-format").value_or("text");
    if (format != "text" && format != "json") {
        return base::usage_error("'" + format + "' is not text or json")
            .with_place("option --log-format");
    }
    globals.log.json = format == "json";
    globals.settings.systemd_cgroup = arguments.has("systemd-cgroup");
    if (const auto manager = arguments.value("cgroup-manager")) {
        TRY(apply_manager(*manager, globals.settings));
    }
    globals.settings.rootless =
        TRY(at_option("rootless", parse_rootless(arguments.value("rootless").value_or("auto"))));
    globals.settings.criu = arguments.value("criu").value_or(globals.settings.criu);
    return globals;
}

base::Result<engine::oci::Engine> App::open_engine() {
    return engine::oci::Engine::open(globals.settings, logger.log());
}

}  // namespace warren::cli::oci
