// The part of a container's recipe that is about a process: its init's or an exec's. Internal to isolation.
#pragma once

#include <cstdint>
#include <vector>

#include "isolation/container.hpp"
#include "isolation/recipe_builder.hpp"

namespace warren::isolation {

// The files that take the program's labels, while the caller's /proc is at hand.
void open_labels(RecipeBuilder& recipe, const ContainerProcess& process);
void make_keyring(RecipeBuilder& recipe, const ContainerProcess& process);
// All but what the program or what follows needs: `slots`, the labels, the descriptors to preserve.
void close_others(RecipeBuilder& recipe,
                  const ContainerProcess& process,
                  std::vector<std::int32_t> slots);
// From the walls to the program.
void become_program(RecipeBuilder& recipe,
                    const ContainerProcess& process,
                    const SeccompProgram& filter,
                    bool setgroups_denied);

}  // namespace warren::isolation
