// What the trials have in common.
#pragma once

#include <array>
#include <cstddef>
#include <functional>

#include <sys/types.h>

namespace trials {

inline constexpr int kRounds = 100;
// Of all rounds, microseconds by step.
using Sums = std::array<double, 4>;

[[nodiscard]] double now_us();
// What all children that ended have used.
[[nodiscard]] double children_cpu_us();
// Memory that children write to; never given back.
[[nodiscard]] Sums* shared_sums();

// Runs `inside` as root of a new user namespace; in the parent `before` it, and `beside` it while it waits for its end.
void in_user_namespace(const std::function<void()>& inside,
                       const std::function<void(pid_t)>& beside = nullptr,
                       const std::function<void()>& before = nullptr);

// A guest's root that covers another against pivot_root(2), while so many tasks sleep. Prints what came of it.
void try_launchpad(int tasks);
// A network namespace out of a pool against a fresh one.
void try_netns_pool();

}  // namespace trials
