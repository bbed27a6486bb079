// Options of a guest's config beside its slice and its walls, as create, run, set and exec take them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "cli/common/arguments.hpp"
#include "cli/common/option.hpp"
#include "runtime/spec/guest_config.hpp"

namespace warren::cli {

// --image, --hostname, --init, --env, --workdir, --mount, --label.
extern const OptionGroup kGuestGroup;

// What create and run share: kGuestGroup, kSliceGroup, kWallsGroup and the command. A command makes a Command
// guest; without one the guest is a machine. The name is left to the caller.
[[nodiscard]] base::Result<spec::GuestConfig> parse_guest(const Arguments& arguments);

// "K=V"; the key is not empty.
[[nodiscard]] base::Result<std::pair<std::string, std::string>> parse_pair(std::string_view text);
[[nodiscard]] base::Result<std::map<std::string, std::string>> parse_labels(
    const Arguments& arguments);
// Checked, as given.
[[nodiscard]] base::Result<std::vector<std::string>> parse_env(const Arguments& arguments);
[[nodiscard]] base::Result<spec::BindMount> parse_mount(std::string_view text);

// Operands as names; one that is not a name is an error that shows it.
[[nodiscard]] base::Result<std::vector<base::Name>> parse_guests(
    const std::vector<std::string>& operands);

}  // namespace warren::cli
