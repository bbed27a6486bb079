// What `warren stats` shows of one reading and the one before.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "runtime/engine/view.hpp"

namespace warren::cli {

struct Reading {
    std::chrono::steady_clock::time_point time;
    std::vector<engine::StatsView> guests;
};

// The share of CPU time needs an earlier reading; without one it is "-". 100% is one whole CPU.
[[nodiscard]] std::string stats_table(const Reading& now, const Reading& before, bool colour);

}  // namespace warren::cli
