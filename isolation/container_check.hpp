// What a container's recipe cannot express is refused before anything is cloned. Pure. Internal to isolation.
#pragma once

#include <string>

#include "base/result.hpp"
#include "isolation/container.hpp"
#include "isolation/sysctl.hpp"

namespace warren::isolation {

// fsconfig(2) takes no longer values.
inline constexpr std::size_t kOptionValueLimit = 255;

// Usage errors, each with its place.
[[nodiscard]] base::Status check_container(const ContainerSpec& spec, const SeccompProgram& filter);
[[nodiscard]] base::Status check_container_join(const ContainerJoin& spec,
                                                const SeccompProgram& filter);

}  // namespace warren::isolation
