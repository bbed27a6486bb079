// A walk over a finished image tree, which is ours and does not change.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <sys/stat.h>

#include "base/result.hpp"

namespace warren::images {

// Calls `visit` for every entry below `root`, directories before what is in them. `parent` is open
// for at-calls on `name`; `path` is relative to the root. An error ends the walk.
using TreeVisitor = std::function<base::Status(
    int parent, const std::string& name, const std::string& path, const struct stat& info)>;
[[nodiscard]] base::Status walk_tree(int root, const TreeVisitor& visit);

struct TreeCounts {
    std::uint64_t entries = 0;  // names, the root not counted
    std::uint64_t files = 0;    // names of regular files
    std::uint64_t bytes = 0;    // apparent size; files with many names count once
    bool operator==(const TreeCounts&) const = default;
};

[[nodiscard]] base::Result<TreeCounts> count_tree(int root);

}  // namespace warren::images
