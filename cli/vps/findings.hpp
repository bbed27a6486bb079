// How `warren doctor` shows what it found.
#pragma once

#include <string>
#include <vector>

#include "runtime/engine/view.hpp"

namespace warren::cli {

// By group, each with its remedy below it where there is one.
[[nodiscard]] std::string findings_text(const std::vector<engine::Finding>& findings, bool colour);
// Whether guests can run here at all.
[[nodiscard]] bool host_can(const std::vector<engine::Finding>& findings);

}  // namespace warren::cli
