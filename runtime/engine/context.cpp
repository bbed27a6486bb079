#include "runtime/engine/context.hpp"

#include <array>
#include <cstdio>

#include "base/hash.hpp"

namespace warren::engine {

cgroups::ParentConfig parent_config(const Paths& paths) {
    cgroups::ParentConfig config;
    config.configured_path = paths.cgroup_parent;
    const state::StorePaths standard;
    if (paths.store.run != standard.run) {
        std::array<char, 24> text{};
        (void)std::snprintf(text.data(),
                            text.size(),
                            "warren-%016llx",
                            static_cast<unsigned long long>(base::fnv1a(paths.store.run)));
        config.name = text.data();
    }
    return config;
}

std::string guest_cgroup_path(const Context& context, const std::string& name) {
    return cgroups::parent_path(context.host.cgroup, parent_config(context.paths)) + "/" + name;
}

}  // namespace warren::engine
