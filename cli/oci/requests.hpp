// From arguments to the engine's requests, and the options that several verbs share. Errors name the option and the
// text, and are of kind Usage.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "cli/common/arguments.hpp"
#include "cli/common/option.hpp"
#include "runtime/engine/oci/engine.hpp"

namespace warren::cli::oci {

extern const OptionGroup kBundleGroup;   // create, run: --bundle, --no-pivot, --no-new-keyring
extern const OptionGroup kWiringGroup;   // create, run, exec: --console-socket, --pidfd-socket, ...
extern const OptionGroup kRestoreGroup;  // restore: the same without what only a start can do
extern const OptionGroup kRunGroup;      // run, restore: --detach, --keep, --no-subreaper
extern const OptionGroup kCriuGroup;     // checkpoint, restore

// The one operand.
[[nodiscard]] std::string container_id(const Arguments& arguments);
[[nodiscard]] base::Result<engine::oci::CreateRequest> parse_create(const Arguments& arguments);
[[nodiscard]] base::Result<engine::oci::Wiring> parse_wiring(const Arguments& arguments);
[[nodiscard]] base::Result<engine::oci::CriuOptions> parse_criu(const Arguments& arguments);

// One verb each, in the verb's own file.
[[nodiscard]] base::Result<engine::oci::RunRequest> parse_run(const Arguments& arguments);
[[nodiscard]] base::Result<engine::oci::ExecRequest> parse_exec(const Arguments& arguments);
[[nodiscard]] base::Result<engine::oci::KillRequest> parse_kill(const Arguments& arguments);
[[nodiscard]] base::Result<engine::oci::UpdateRequest> parse_update(const Arguments& arguments);
[[nodiscard]] base::Result<engine::oci::EventsRequest> parse_events(const Arguments& arguments);
[[nodiscard]] base::Result<engine::oci::CheckpointRequest> parse_checkpoint(
    const Arguments& arguments);
[[nodiscard]] base::Result<engine::oci::RestoreRequest> parse_restore(const Arguments& arguments);

// --format: whether it is json. Absent: no.
[[nodiscard]] base::Result<bool> wants_json(const Arguments& arguments);
// As Go writes durations: "5s", "1m30s", "250ms"; more than zero, at most a year.
[[nodiscard]] base::Result<std::chrono::milliseconds> parse_duration(std::string_view text);
// "512", "512k", "1.5g", "64MiB", "-1": bytes, for people and engines; -1 takes a limit off.
[[nodiscard]] base::Result<std::int64_t> parse_bytes(std::string_view text);
// A whole number with an optional minus sign.
[[nodiscard]] base::Result<std::int64_t> parse_integer(std::string_view text,
                                                       std::int64_t min,
                                                       std::int64_t max);

}  // namespace warren::cli::oci
