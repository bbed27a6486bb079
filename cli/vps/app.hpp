// What every verb of warren is given: the global options, the console, and the way to the engine.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "cli/common/arguments.hpp"
#include "cli/common/console.hpp"
#include "cli/common/option.hpp"
#include "cli/common/progress.hpp"
#include "runtime/engine/engine.hpp"

namespace warren::cli {

struct Globals {
    engine::Paths paths;
    bool json = false;
    bool quiet = false;
    bool dry_run = false;
    base::LogLevel log_level = base::LogLevel::Error;
};

extern const OptionGroup kGlobalGroup;
extern const OptionGroup kJsonGroup;    // --json, for verbs that print data
extern const OptionGroup kDryRunGroup;  // --dry-run, for verbs that can

// The environment, injected: a name to its value.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// Options win over WARREN_ROOT, WARREN_RUN and WARREN_CGROUP_PARENT. A root that is not the default brings a run
// directory of its own, so that two roots do not see each other. Relative directories are below `here`.
[[nodiscard]] base::Result<Globals> parse_globals(const Arguments& arguments,
                                                  const Environment& environment,
                                                  const std::string& here);

struct App {
    Globals globals;
    Console& console;
    // What the verb is at, for its error line: set by a verb as soon as it knows.
    std::string subject;

    [[nodiscard]] base::Log log() const;
    // `create_root`: for verbs that may be the first on a host.
    [[nodiscard]] base::Result<engine::Engine> open_engine(bool create_root) const;
    // A line on the terminal while the work lasts; none with --quiet.
    [[nodiscard]] std::unique_ptr<Progress> progress(std::string_view title) const;
    // Names on standard output, one a line; none with --quiet.
    void print_name(const std::string& name) const;
};

}  // namespace warren::cli
