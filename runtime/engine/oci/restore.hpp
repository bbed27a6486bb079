// What checkpoint leaves for restore beside criu's images.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "runtime/engine/oci/container.hpp"

namespace warren::engine::oci {

// IMAGES/descriptors.json: what the descriptors 0, 1 and 2 of the first process were, in the form of
// /proc/PID/fd/N; restore puts its own in the place of pipes.
[[nodiscard]] base::Status save_descriptors(const Container& container, const std::string& images);
[[nodiscard]] base::Result<std::vector<std::string>> load_descriptors(const std::string& images);

// "net[INODE]:warren-net": namespaces that were joined by path and are not criu's to save.
[[nodiscard]] base::Result<std::vector<std::string>> external_namespaces(
    const spec::oci::Config& config);

}  // namespace warren::engine::oci
