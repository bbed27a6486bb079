// /mounts.
#include <algorithm>
#include <array>

#include "runtime/spec/oci/checks.hpp"

namespace warren::spec::oci {

namespace {

// What a superblock does anyway: asking for it changes nothing of a bind's.
constexpr std::array<std::string_view, 3> kDefaults{"async", "nolazytime", "nomand"};

void check_bind(const Mount& mount, const std::string& pointer, Problems& problems) {
    const auto& options = mount.options;
    if (mount.source.empty() && !options.remount) {
        add(problems, pointer + "/source", "a bind mount needs a source");
    }
    // Words for a file system ("mode=755") mean nothing here, and engines write them: the planner warns of them.
    for (const auto& word : options.superblock) {
        if (std::find(kDefaults.begin(), kDefaults.end(), word) == kDefaults.end()) {
            add(problems,
                pointer + "/options",
                "a bind mount takes no option of a file system, found \"" + word + "\"");
        }
    }
    if (options.tmpcopyup) {
        add(problems, pointer + "/options", "tmpcopyup is only for tmpfs");
    }
}

void check_file_system(const Mount& mount, const std::string& pointer, Problems& problems) {
    const auto& options = mount.options;
    if (mount.type.empty() && !options.remount) {
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

void check_mounts(const Config& config, Problems& problems) {
    for (std::size_t i = 0; i < config.mounts.size(); ++i) {
        const auto& mount = config.mounts[i];
        const auto pointer = "/mounts/" + std::to_string(i);
        if (mount.options.bind) {
            check_bind(mount, pointer, problems);
        } else {
            check_file_system(mount, pointer, problems);
        }
        check_ids(config, mount, pointer, problems);
    }
}

}  // namespace warren::spec::oci
