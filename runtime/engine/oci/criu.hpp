// The criu program, by its command line: what it is told for checkpoint and restore.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "runtime/engine/oci/context.hpp"
#include "runtime/engine/oci/engine.hpp"
#include "runtime/spec/oci/config.hpp"

namespace warren::engine::oci {

// Unsupported, in criu's own words, where there is no such program or `criu check` says no.
[[nodiscard]] base::Status check_criu(const Settings& settings);

// Words of both commands: directories, sockets, locks, cgroups. Pure.
[[nodiscard]] std::vector<std::string> criu_words(const CriuOptions& options);

// Where images are, made when absent; absolute.
[[nodiscard]] base::Result<std::string> image_directory(const CriuOptions& options);

// Runs it with its log beside the images; a failure names the log. Leaves us in a cgroup namespace of our own.
[[nodiscard]] base::Status run_criu(const Context& context,
                                    const std::string& verb,
                                    std::vector<std::string> words,
                                    const std::vector<int>& kept);

// Whether criu neither saves nor makes it: a bind, and the cgroup tree, whose options it would set back for the host.
[[nodiscard]] bool is_external(const spec::oci::Mount& mount);

}  // namespace warren::engine::oci
