// From limits to the writes that make them so. Planning is pure; one function writes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cgroups/limits.hpp"

namespace warren::cgroups {

// One write(2) to one file of a cgroup's directory.
struct KnobWrite {
    std::string file;
    std::string text;
    // An absent file is success: the write takes off a limit that cannot be there, or another knob of the same
    // limit is the one that must be there.
    bool if_present = false;
    bool operator==(const KnobWrite&) const = default;
};

// The ceilings in force, so that what is raised can be raised before anything is lowered.
struct MemoryCeilings {
    Limit memory_max;
    Limit swap_max;
};

// In the order in which they must be written.
[[nodiscard]] std::vector<KnobWrite> plan_knobs(const Limits& limits, const MemoryCeilings& now);

// What the files say; "max" where there is no file.
[[nodiscard]] base::Result<MemoryCeilings> read_memory_ceilings(int dir);

// Unsupported when the kernel does not have a knob that is needed. The error names it.
[[nodiscard]] base::Status write_knobs(int dir, const std::vector<KnobWrite>& writes);

// "max" or digits, with or without a newline; anything else is an error that names `file`.
[[nodiscard]] base::Result<Limit> parse_knob_limit(std::string_view text, const std::string& file);

}  // namespace warren::cgroups
