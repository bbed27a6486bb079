#include "isolation/defaults.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <linux/mount.h>

#include <doctest/doctest.h>

namespace {

using namespace warren;
using isolation::GuestKind;
using isolation::MountSpec;
using isolation::Namespace;
using isolation::NamespaceSet;

std::map<std::string, MountSpec> by_target(GuestKind kind, const NamespaceSet& namespaces) {
    std::map<std::string, MountSpec> out;
    for (const MountSpec& mount : isolation::default_mounts(kind, namespaces)) {
        CHECK_MESSAGE(out.emplace(mount.target, mount).second, mount.target);
        CHECK(mount.kind == MountSpec::Kind::FileSystem);
        CHECK((mount.attributes & MOUNT_ATTR_NOSUID) != 0);
    }
    return out;
}

bool contains(const std::vector<std::string>& list, const std::string& text) {
    return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

TEST_CASE("mounts of a machine") {
    const auto mounts = by_target(GuestKind::Machine, NamespaceSet::all());
    CHECK(mounts.at("/proc").fs_type == "proc");
    CHECK(mounts.at("/sys").fs_type == "sysfs");
    CHECK((mounts.at("/sys").attributes & MOUNT_ATTR_RDONLY) != 0);
    CHECK((mounts.at("/sys/fs/cgroup").attributes & MOUNT_ATTR_RDONLY) == 0);
    CHECK(mounts.at("/dev/pts").fs_type == "devpts");
    CHECK((mounts.at("/dev/pts").attributes & MOUNT_ATTR_NODEV) == 0);
    CHECK(mounts.at("/dev/mqueue").fs_type == "mqueue");
    CHECK(mounts.at("/run").fs_type == "tmpfs");
    CHECK(mounts.at("/run/lock").fs_type == "tmpfs");
    for (const char* target : {"/run", "/run/lock", "/dev/shm"}) {
        const auto& options = mounts.at(target).options;
        for (const char* bound : {"size", "nr_inodes", "mode"}) {
            CHECK(std::any_of(options.begin(), options.end(), [&](const auto& option) {
                return option.first == bound;
            }));
        }
    }
    CHECK(mounts.count("/dev") == 0);
}

TEST_CASE("mounts come after what they lie in") {
    for (const GuestKind kind : {GuestKind::Machine, GuestKind::Command}) {
        std::set<std::string> seen;
        for (const MountSpec& mount : isolation::default_mounts(kind, NamespaceSet::all())) {
            for (const std::string& earlier : seen) {
                CHECK(!earlier.starts_with(mount.target + "/"));
            }
            seen.insert(mount.target);
        }
    }
}

TEST_CASE("mounts of a command") {
    const auto mounts = by_target(GuestKind::Command, NamespaceSet::all());
    CHECK(mounts.count("/run") == 0);
    CHECK((mounts.at("/sys/fs/cgroup").attributes & MOUNT_ATTR_RDONLY) != 0);
    CHECK((mounts.at("/dev/shm").attributes & MOUNT_ATTR_NOEXEC) != 0);
}

TEST_CASE("what belongs to a namespace is mounted only in one's own") {
    auto shared = NamespaceSet::all();
    shared.remove(Namespace::Ipc);
    shared.remove(Namespace::Cgroup);
    shared.remove(Namespace::Net);
    const auto mounts = by_target(GuestKind::Machine, shared);
    CHECK(mounts.count("/dev/mqueue") == 0);
    CHECK(mounts.count("/sys/fs/cgroup") == 0);
    CHECK(mounts.at("/sys").fs_type == "tmpfs");
    shared.remove(Namespace::User);
    CHECK(by_target(GuestKind::Machine, shared).at("/sys").fs_type == "sysfs");
}

TEST_CASE("devices") {
    for (const GuestKind kind : {GuestKind::Machine, GuestKind::Command}) {
        std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
        bool tun = false;
        for (const auto& rule : isolation::default_devices(kind)) {
            CHECK(rule.type == isolation::DeviceRule::Type::Char);
            CHECK(seen.emplace(rule.major, rule.minor).second);
            CHECK((rule.path.empty() || rule.path.starts_with("/dev/")));
            CHECK((!rule.any_minor || rule.major == 136));
            tun = tun || rule.path == "/dev/net/tun";
        }
        for (const std::uint32_t minor : {3U, 5U, 7U, 8U, 9U}) {
            CHECK(seen.count({1, minor}) == 1);
        }
        // The host's memory and console.
        CHECK(seen.count({1, 1}) == 0);
        CHECK(seen.count({1, 2}) == 0);
        CHECK(seen.count({5, 1}) == 0);
        CHECK(tun == (kind == GuestKind::Machine));
    }
}

TEST_CASE("masked and read-only paths") {
    const auto machine = isolation::default_masked_paths(GuestKind::Machine, false);
    CHECK(contains(machine, "/proc/interrupts"));
    CHECK(contains(machine, "/sys/firmware"));
    CHECK(isolation::default_readonly_paths(GuestKind::Machine, false).empty());
    const auto command = isolation::default_masked_paths(GuestKind::Command, false);
    CHECK(contains(command, "/proc/kcore"));
    CHECK(contains(command, "/proc/keys"));
    CHECK(contains(isolation::default_readonly_paths(GuestKind::Command, false), "/proc/sys"));
    for (const GuestKind kind : {GuestKind::Machine, GuestKind::Command}) {
        CHECK(isolation::default_masked_paths(kind, true).empty());
        CHECK(isolation::default_readonly_paths(kind, true).empty());
    }
}

TEST_CASE("a root in the host's user namespace is held by the strict lists") {
    for (const GuestKind kind : {GuestKind::Machine, GuestKind::Command}) {
        for (const bool nesting : {false, true}) {
            CHECK(contains(isolation::default_masked_paths(kind, nesting, true), "/proc/kcore"));
            CHECK(contains(isolation::default_readonly_paths(kind, nesting, true),
                           "/proc/sysrq-trigger"));
        }
    }
}

TEST_CASE("every limit is set, none above its hard one") {
    for (const GuestKind kind : {GuestKind::Machine, GuestKind::Command}) {
        std::set<int> seen;
        for (const auto& limit : isolation::default_rlimits(kind)) {
            CHECK(seen.insert(limit.resource).second);
            CHECK(limit.soft <= limit.hard);
        }
        CHECK(seen.size() == 16);
    }
}

TEST_CASE("environment") {
    const auto machine = isolation::default_env(GuestKind::Machine, false);
    CHECK(contains(machine, "container=warren"));
    CHECK(!contains(machine, "TERM=xterm"));
    const auto command = isolation::default_env(GuestKind::Command, true);
    CHECK(!contains(command, "container=warren"));
    CHECK(contains(command, "TERM=xterm"));
    for (const std::string& entry : command) {
        CHECK(entry.find('=') != std::string::npos);
    }
}
