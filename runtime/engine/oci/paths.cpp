#include "runtime/engine/oci/paths.hpp"

#include <vector>

#include "base/fd.hpp"

namespace warren::engine::oci {

std::string join_path(const std::string& base, const std::string& path) {
    if (path.empty()) {
        return base;
    }
    if (path.front() == '/') {
        return path;
    }
    return base + (base.ends_with('/') ? "" : "/") + path;
}

std::string clean_path(std::string_view path) {
    std::vector<std::string_view> steps;
    while (!path.empty()) {
        const auto slash = path.find('/');
        const auto step = path.substr(0, slash);
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
        if (step.empty() || step == ".") {
            continue;
        }
        if (step == "..") {
            if (!steps.empty()) {
                steps.pop_back();
            }
            continue;
        }
        steps.push_back(step);
    }
    std::string out;
    for (const auto step : steps) {
        out += '/';
        out += step;
    }
    return out.empty() ? "/" : out;
}

base::Result<std::string> absolute_path(const std::string& path) {
    if (path.starts_with('/')) {
        return clean_path(path);
    }
    const auto here = TRY(base::read_link_at(AT_FDCWD, "/proc/self/cwd"));
    return clean_path(join_path(here, path));
}

}  // namespace warren::engine::oci
