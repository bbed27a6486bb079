// /mounts.
#include <algorithm>

#include "runtime/spec/oci/checks.hpp"

namespace warren::spec::oci {

namespace {

// Without empty steps and "."; ".." stays, as what it means depends on links.
std::string plain_path(std::string_view path) {
    std::string out;
    while (!path.empty()) {
        const auto step = path.substr(0, path.find('/'));
        path.remove_prefix(std::min(step.size() + 1, path.size()));
        if (!step.empty() && step != ".") {
            out += '/';
            out += step;
        }
    }
    return out;
}

void check_remount(const Config& config,
                   std::size_t index,
                   const std::string& pointer,
                   Problems& problems) {
    const auto& mount = config.mounts[index];
    const auto& options = mount.options;
    if (!remounted(config, index)) {
        add(problems,
            pointer + "/destination",
            "nothing to remount: no entry before it mounts something at \"" + mount.destination +
                "\"");
    }
    if (options.tmpcopyup || options.copy_symlink || options.src_nofollow ||
        options.dest_nofollow || options.id_map != MountIdMap::None || !mount.ids.uids.empty() ||
        !mount.ids.gids.empty()) {
        add(problems,
            pointer,
            "a remount takes no map of ids, and no tmpcopyup, copy-symlink, src-nofollow or "
            "dest-nofollow");
    }
}

void check_bind(const Mount& mount, const std::string& pointer, Problems& problems) {
    const auto& options = mount.options;
    if (mount.source.empty()) {
        add(problems, pointer + "/source", "a bind mount needs a source");
    }
    // Words for a file system ("mode=755") mean nothing here, and engines write them: the planner warns of them.
    if (const auto word = superblock_change(options)) {
        add(problems,
            pointer + "/options",
            "a bind mount takes no option of a file system, found \"" + *word + "\"");
    }
    if (options.tmpcopyup) {
        add(problems, pointer + "/options", "tmpcopyup is only for tmpfs");
    }
}

void check_file_system(const Mount& mount, const std::string& pointer, Problems& problems) {
    const auto& options = mount.options;
    if (mount.type.empty()) {
        add(problems,
            pointer + "/type",
            "expected a file system's name, or bind among the options");
    }
    if (options.tmpcopyup && mount.type != "tmpfs") {
        add(problems, pointer + "/options", "tmpcopyup is only for tmpfs");
    }
    if (options.src_nofollow || options.copy_symlink) {
        add(problems,
            pointer + "/options",
            "src-nofollow and copy-symlink are only for bind mounts");
    }
}

void check_ids(const Config& config,
               const Mount& mount,
               const std::string& pointer,
               Problems& problems) {
    const bool given = !mount.ids.uids.empty() || !mount.ids.gids.empty();
    const bool by_word = !mount.options.uids.empty();
    if (mount.ids.uids.empty() != mount.ids.gids.empty()) {
        add(problems,
            pointer + (mount.ids.uids.empty() ? "/uidMappings" : "/gidMappings"),
            "uidMappings and gidMappings go together");
    }
    if (given && by_word) {
        add(problems, pointer + "/options", "ids are mapped by uidMappings and by an option");
    }
    const bool asked = given || mount.options.id_map != MountIdMap::None;
    if (asked && !mount.options.bind) {
        add_unsupported(problems, pointer, "ids are mapped for bind mounts only");
    }
    const bool user_namespace = config.linux.find(isolation::Namespace::User) != nullptr;
    if (asked && !given && !by_word && !user_namespace) {
        add(problems,
            pointer + "/options",
            "idmap needs uidMappings and gidMappings, or a user namespace to take them from");
    }
    const auto is_relative = [](const MountIdRange& range) { return range.relative; };
    const bool relative =
        std::any_of(mount.options.uids.begin(), mount.options.uids.end(), is_relative) ||
        std::any_of(mount.options.gids.begin(), mount.options.gids.end(), is_relative);
    if (relative && config.linux.ids.uids.empty()) {
        add(problems, pointer + "/options", "'@' needs the maps of a user namespace");
    }
}

}  // namespace

std::optional<std::size_t> remounted(const Config& config, std::size_t index) {
    const auto wanted = plain_path(config.mounts[index].destination);
    for (std::size_t i = index; i-- > 0;) {
        const auto& earlier = config.mounts[i];
        if (!earlier.options.remount && plain_path(earlier.destination) == wanted) {
            return i;
        }
    }
    return std::nullopt;
}

void check_mounts(const Config& config, Problems& problems) {
    for (std::size_t i = 0; i < config.mounts.size(); ++i) {
        const auto& mount = config.mounts[i];
        const auto pointer = "/mounts/" + std::to_string(i);
        if (mount.options.remount) {
            check_remount(config, i, pointer, problems);
            continue;
        }
        if (mount.options.bind) {
            check_bind(mount, pointer, problems);
        } else {
            check_file_system(mount, pointer, problems);
        }
        check_ids(config, mount, pointer, problems);
    }
}

}  // namespace warren::spec::oci
