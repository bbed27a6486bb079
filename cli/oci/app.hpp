// What every verb of warren-oci is given: the global options, the console, and the way to the engine.
#pragma once

#include <string>

#include "base/result.hpp"
#include "cli/common/arguments.hpp"
#include "cli/common/console.hpp"
#include "cli/common/option.hpp"
#include "cli/oci/logger.hpp"
#include "runtime/engine/oci/engine.hpp"

namespace warren::cli::oci {

struct Globals {
    engine::oci::Settings settings;
    LogSettings log;
};

extern const OptionGroup kGlobalGroup;

// `here`: the working directory, below which a relative --root is.
[[nodiscard]] base::Result<Globals> parse_globals(const Arguments& arguments,
                                                  const std::string& here);

struct App {
    Globals globals;
    Console& console;
    Logger& logger;
    // What the verb is at, for its error line: the container's id.
    std::string subject;

    [[nodiscard]] base::Result<engine::oci::Engine> open_engine();
};

}  // namespace warren::cli::oci
