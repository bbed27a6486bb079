// From parsed options to the engine's requests. Pure but for the files that options name; nothing here asks the engine.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "cli/common/arguments.hpp"
#include "cli/common/option.hpp"
#include "images/image.hpp"
#include "runtime/engine/engine.hpp"

namespace warren::cli {

// -i, -t, -d.
extern const OptionGroup kStdioGroup;
// --all, --label: which guests a batch means beside names.
extern const OptionGroup kBatchGroup;
// Names, all or labels: "any number of operands".
extern const Operands kBatchOperands;
// --time SECONDS of stop and restart.
extern const OptionGroup kStopGroup;

[[nodiscard]] base::Result<engine::CreateRequest> parse_create(const Arguments& arguments);
[[nodiscard]] base::Result<engine::RunRequest> parse_run(const Arguments& arguments);
[[nodiscard]] base::Result<engine::ExecRequest> parse_exec(const Arguments& arguments);
[[nodiscard]] base::Result<engine::ExecRequest> parse_enter(const Arguments& arguments,
                                                            bool on_terminal);
// Exactly one of names, --all and --label.
[[nodiscard]] base::Result<engine::Selection> parse_selection(const Arguments& arguments);
[[nodiscard]] base::Result<engine::Engine::StartOptions> parse_start(const Arguments& arguments);
[[nodiscard]] base::Result<engine::StopOptions> parse_stop(const Arguments& arguments);
[[nodiscard]] base::Result<int> parse_kill(const Arguments& arguments);

struct SetRequest {
    base::Name name;
    spec::ConfigUpdate update;
};

[[nodiscard]] base::Result<SetRequest> parse_set(const Arguments& arguments);

[[nodiscard]] base::Result<engine::Filters> parse_filters(const Arguments& arguments);
[[nodiscard]] base::Result<engine::LogRequest> parse_logs(const Arguments& arguments);
// The one guest a verb is at.
[[nodiscard]] base::Result<base::Name> parse_guest_name(const Arguments& arguments);

struct BuildImage {
    base::Name name;
    images::BuildRequest request;
};

[[nodiscard]] base::Result<BuildImage> parse_image_build(const Arguments& arguments);
// The name of --as, which is required.
[[nodiscard]] base::Result<base::Name> parse_image_import(const Arguments& arguments);
[[nodiscard]] base::Result<std::vector<base::Name>> parse_images(
    const std::vector<std::string>& operands);

}  // namespace warren::cli
