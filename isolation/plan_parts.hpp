// What the recipes of guests and of containers have in common. Internal to isolation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

#include "isolation/child/step.hpp"
#include "isolation/plan.hpp"
#include "isolation/recipe_builder.hpp"

namespace warren::isolation {

inline constexpr mode_t kDefaultUmask = 0022;
inline constexpr std::uint32_t kFirstOwnSlot = child::kReleasedSlots;

// "mounts[3]".
[[nodiscard]] std::string place(const char* list, std::size_t index);

// The mount that mask_path() puts over directories.
void open_mask(RecipeBuilder& recipe);
void close_paths(RecipeBuilder& recipe,
                 const std::vector<std::string>& readonly_paths,
                 const std::vector<std::string>& masked_paths);

// The absolute paths that may be the program, as execvp(3) would try them.
[[nodiscard]] std::vector<std::string> exec_candidates(const ProcessSpec& process);

void set_rlimits(RecipeBuilder& recipe, const ProcessSpec& process);
// Bounding set, groups, gid, uid. `groups`: whether setgroups(2) is allowed, or has to be.
void take_ids(RecipeBuilder& recipe, const ProcessSpec& process, bool groups);
void take_capabilities(RecipeBuilder& recipe, const ProcessSpec& process);

}  // namespace warren::isolation
