// What an image's tree says about itself. The tree is hostile: links are resolved inside it, only
// regular files are read, and what comes out is short printable text.
#pragma once

#include <string>

#include "base/result.hpp"
#include "images/image.hpp"

namespace warren::images {

struct TreeFacts {
    std::string os_id, os_version, architecture;
    InitSystem init = InitSystem::None;
    std::string init_path;
};

[[nodiscard]] TreeFacts inspect_tree(int root);

// The value of KEY=value in an os-release(5) file, unquoted; empty when absent.
[[nodiscard]] std::string os_release_value(const std::string& text, const std::string& key);

}  // namespace warren::images
