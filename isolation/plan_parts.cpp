#include "isolation/plan_parts.hpp"

#include <string_view>

#include "isolation/plan_check.hpp"

namespace warren::isolation {

std::string place(const char* list, std::size_t index) {
    return std::string(list) + '[' + std::to_string(index) + ']';
}

void open_mask(RecipeBuilder& recipe) {
    recipe.open_file_system("masked paths: make the mask",
                            child::kMaskSlot,
                            {"tmpfs", {{"nr_inodes", "1"}, {"size", "4096"}}, kMaskAttributes},
                            false);
}

void close_paths(RecipeBuilder& recipe,
                 const std::vector<std::string>& readonly_paths,
                 const std::vector<std::string>& masked_paths) {
    for (std::size_t i = 0; i < readonly_paths.size(); ++i) {
        const auto& path = readonly_paths[i];
        recipe.readonly_path(place("readonly paths", i) + ": make " + path + " read-only", path);
    }
    for (std::size_t i = 0; i < masked_paths.size(); ++i) {
        const auto& path = masked_paths[i];
        recipe.mask_path(place("masked paths", i) + ": mask " + path, path);
    }
}

std::vector<std::string> exec_candidates(const ProcessSpec& process) {
    constexpr std::string_view kDefaultPath =
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    const std::string& name = process.argv.front();
    if (name.find('/') != std::string::npos) {
        return {name};
    }
    std::string_view path = kDefaultPath;
    for (const auto& variable : process.env) {
        if (variable.starts_with("PATH=")) {
            path = std::string_view(variable).substr(5);
            break;
        }
    }
    std::vector<std::string> candidates;
    while (!path.empty()) {
        const auto end = path.find(':');
        const auto dir = path.substr(0, end);
        // An empty or relative entry would look where the guest's cwd happens to be.
        if (dir.starts_with('/')) {
            candidates.push_back(std::string(dir) + (dir.ends_with('/') ? "" : "/") + name);
        }
        path = end == std::string_view::npos ? std::string_view{} : path.substr(end + 1);
    }
    return candidates;
}

void set_rlimits(RecipeBuilder& recipe, const ProcessSpec& process) {
    for (std::size_t i = 0; i < process.rlimits.size(); ++i) {
        recipe.set_rlimit(place("rlimits", i) + ": set", process.rlimits[i]);
    }
}

void take_ids(RecipeBuilder& recipe, const ProcessSpec& process, bool groups) {
    const auto& caps = process.capabilities;
    recipe.drop_bounding(caps.bounding);
    if (groups) {
        recipe.set_groups(process.additional_gids);
    }
    recipe.set_gid(process.gid);
    const bool wants = (caps.permitted | caps.effective | caps.inheritable | caps.ambient) != 0;
    if (process.uid != 0 && wants) {
        recipe.keep_caps();
    }
    recipe.set_uid(process.uid);
}

void take_capabilities(RecipeBuilder& recipe, const ProcessSpec& process) {
    recipe.set_capabilities(process.capabilities);
    if (process.capabilities.ambient != 0) {
        recipe.raise_ambient(process.capabilities.ambient);
    }
}

}  // namespace warren::isolation
