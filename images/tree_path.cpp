#include "images/tree_path.hpp"

#include <algorithm>

namespace warren::images {
namespace {

// The kernel's PATH_MAX counts the end.
constexpr std::uint32_t kMaxPath = 4095;

}  // namespace

base::Result<std::vector<std::string>> split_path(const std::string& path,
                                                  const ImportLimits& limits) {
    const auto max_path = std::min(limits.path_bytes, kMaxPath);
    if (path.size() > max_path) {
        return base::usage_error("path is longer than " + std::to_string(max_path) + " bytes");
    }
    std::vector<std::string> out;
    for (std::size_t at = 0; at < path.size();) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        std::string name = path.substr(at, end - at);
        at = end + 1;
        if (name.empty() || name == ".") {
            continue;
        }
        if (name == "..") {
            return base::usage_error("path goes up by \"..\"");
        }
        if (name.size() > limits.name_bytes) {
            return base::usage_error("name is longer than " + std::to_string(limits.name_bytes) +
                                     " bytes");
        }
        out.push_back(std::move(name));
    }
    if (out.size() > limits.depth) {
        return base::usage_error("path is deeper than " + std::to_string(limits.depth) +
                                 " directories");
    }
    return out;
}

}  // namespace warren::images
