#include "cli/vps/app.hpp"

#include <array>
#include <cstdio>
#include <utility>

#include "base/hash.hpp"

namespace warren::cli {

namespace {

constexpr std::array kGlobalOptions{
    Option{"root", 0, "DIR", "persistent data (/var/lib/warren)", false, Hint::Directory},
    Option{"run", 0, "DIR", "volatile state (/run/warren)", false, Hint::Directory},
    Option{"json", 0, "", "print JSON"},
    Option{"quiet", 0, "", "no progress, and no names of what is done"},
    Option{"dry-run", 0, "", "create, start, run: print the plan, change nothing"},
    Option{"log-level", 0, "debug|info|warning|error", "what is told on standard error (error)"},
    Option{"help", 0, "", "this text"},
    Option{"version", 0, "", "the version"},
};
constexpr std::array kJsonOptions{Option{"json", 0, "", "print JSON"}};
constexpr std::array kDryRunOptions{Option{"dry-run", 0, "", "print the plan, change nothing"}};

base::Result<base::LogLevel> parse_log_level(std::string_view text) {
    constexpr std::array kLevels{
        std::pair{std::string_view("debug"), base::LogLevel::Debug},
        std::pair{std::string_view("info"), base::LogLevel::Info},
        std::pair{std::string_view("warning"), base::LogLevel::Warning},
        std::pair{std::string_view("error"), base::LogLevel::Error},
    };
    for (const auto& [name, level] : kLevels) {
        if (name == text) {
            return level;
        }
    }
    return base::usage_error("'" + std::string(text) + "' is none of debug, info, warning, error");
}

std::string_view level_name(base::LogLevel level) {
    switch (level) {
        case base::LogLevel::Debug:
            return "debug";
        case base::LogLevel::Info:
            return "info";
        case base::LogLevel::Warning:
            return "warning";
        case base::LogLevel::Error:
            return "error";
    }
    return "error";
}

// Without trailing slashes: two spellings of one directory are one.
base::Result<std::string> absolute(std::string path, const std::string& here) {
    if (path.empty()) {
        return base::usage_error("the directory is empty");
    }
    if (!path.starts_with('/')) {
        path.insert(0, here + "/");
    }
    while (path.size() > 1 && path.ends_with('/')) {
        path.pop_back();
    }
    return path;
}

std::string run_beside(const std::string& root) {
    const state::StorePaths standard;
    if (root == standard.root) {
        return standard.run;
    }
    std::array<char, 20> hash{};
    const auto number = static_cast<unsigned long long>(base::fnv1a(root));
    (void)std::snprintf(hash.data(), hash.size(), "-%016llx", number);
    return standard.run + hash.data();
}

std::optional<std::string> choose(const Arguments& arguments,
                                  std::string_view option,
                                  const Environment& environment,
                                  const std::string& variable) {
    if (std::optional<std::string> given = arguments.value(option)) {
        return given;
    }
    std::optional<std::string> inherited = environment(variable);
    return inherited && !inherited->empty() ? inherited : std::nullopt;
}

}  // namespace

const OptionGroup kGlobalGroup{"Global options", kGlobalOptions};
const OptionGroup kJsonGroup{"Output", kJsonOptions};
const OptionGroup kDryRunGroup{"Trying out", kDryRunOptions};

base::Result<Globals> parse_globals(const Arguments& arguments,
                                    const Environment& environment,
                                    const std::string& here) {
    Globals globals;
    state::StorePaths& store = globals.paths.store;
    if (const auto root = choose(arguments, "root", environment, "WARREN_ROOT")) {
        store.root = TRY(at_option("root", absolute(*root, here)));
    }
    store.run = run_beside(store.root);
    if (const auto run = choose(arguments, "run", environment, "WARREN_RUN")) {
        store.run = TRY(at_option("run", absolute(*run, here)));
    }
    globals.paths.cgroup_parent = environment("WARREN_CGROUP_PARENT").value_or("");
    globals.json = arguments.has("json");
    globals.quiet = arguments.has("quiet");
    globals.dry_run = arguments.has("dry-run");
    if (const auto level = arguments.value("log-level")) {
        globals.log_level = TRY(at_option("log-level", parse_log_level(*level)));
    }
    return globals;
}

base::Log App::log() const {
    Console& sink = console;
    return base::Log(globals.log_level, [&sink](base::LogLevel level, std::string_view text) {
        sink.error(level_name(level), base::printable(text));
    });
}

base::Result<engine::Engine> App::open_engine(bool create_root) const {
    return engine::Engine::open(globals.paths, create_root, log());
}

std::unique_ptr<Progress> App::progress(std::string_view title) const {
    if (!console.settings().err_terminal || globals.quiet) {
        return std::make_unique<Progress>(-1, title);
    }
    console.share_terminal();
    return std::make_unique<Progress>(console.settings().err, title);
}

void App::print_name(const std::string& name) const {
    if (!globals.quiet) {
        console.print(name + "\n");
    }
}

}  // namespace warren::cli
