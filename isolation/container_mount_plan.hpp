// The part of a container's recipe that is about one mount. Internal to isolation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "isolation/container.hpp"
#include "isolation/recipe_builder.hpp"

namespace warren::isolation {

// MS_PRIVATE and its kin.
[[nodiscard]] std::uint64_t propagation_flag(Propagation::Kind kind);
// child::kRecursive, child::kOptional, or nothing.
[[nodiscard]] std::uint16_t recursion(bool recursive);
[[nodiscard]] std::uint16_t optionality(bool optional);

[[nodiscard]] std::string mount_site(const ContainerMount& mount, std::size_t index);

// A new instance, detached, into `slot`.
void open_file_system(RecipeBuilder& recipe,
                      const ContainerMount& mount,
                      const std::string& site,
                      std::uint32_t slot);
// Its target, its changes, its place; or, of a Remount, its changes to what is in `slot`. With `changes_later` a
// Remount follows: the slot stays filled.
void attach_mount(RecipeBuilder& recipe,
                  const ContainerMount& mount,
                  const std::string& site,
                  std::uint32_t slot,
                  bool changes_later);

}  // namespace warren::isolation
