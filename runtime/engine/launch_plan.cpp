#include "runtime/engine/launch_plan.hpp"

#include <algorithm>
#include <ctime>
#include <sstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <nlohmann/json.hpp>

#include "base/fd.hpp"
#include "base/units.hpp"
#include "isolation/defaults.hpp"
#include "netns/messages.hpp"
#include "runtime/state/store.hpp"

namespace warren::engine {

namespace {

using isolation::GuestKind;
using isolation::Namespace;
using isolation::NamespaceSet;

NamespaceSet plan_namespaces(const spec::GuestConfig& config) {
    NamespaceSet set = NamespaceSet::all();
    if (config.security.users == spec::Wall::Host) {
        set.remove(Namespace::User);
    }
    if (config.security.time == spec::Wall::Host) {
        set.remove(Namespace::Time);
    }
    if (config.network.mode == netns::Mode::Host) {
        set.remove(Namespace::Net);
    }
    return set;
}

std::vector<std::string> plan_env(const spec::GuestConfig& config, bool terminal) {
    return spec::merge_env(isolation::default_env(config.kind, terminal), config.env);
}

std::vector<isolation::MountSpec> plan_mounts(const spec::GuestConfig& config,
                                              const NamespaceSet& set,
                                              const Lookups& lookups) {
    auto mounts = isolation::default_mounts(config.kind, set);
    for (std::size_t i = 0; i < config.mounts.size(); ++i) {
        isolation::MountSpec mount;
        mount.kind = isolation::MountSpec::Kind::Bind;
        mount.target = config.mounts[i].target;
        mount.slot = isolation::kFirstBindSlot + static_cast<std::uint32_t>(i);
        mount.is_directory = lookups.bind_is_directory.at(i);
        mounts.push_back(std::move(mount));
    }
    return mounts;
}

std::vector<cgroups::DeviceAccess> plan_device_access(
    const std::vector<isolation::DeviceRule>& rules) {
    std::vector<cgroups::DeviceAccess> list;
    for (const auto& rule : rules) {
        cgroups::DeviceAccess access;
        access.type = rule.type == isolation::DeviceRule::Type::Char ? 'c' : 'b';
        access.major = rule.major;
        if (!rule.any_minor) {
            access.minor = rule.minor;
        }
        access.read = rule.read;
        access.write = rule.write;
        access.make = rule.make;
        list.push_back(access);
    }
    return list;
}

isolation::ProcessSpec plan_init(const spec::GuestConfig& config, bool terminal) {
    isolation::ProcessSpec process;
    process.argv = config.command;
    process.env = plan_env(config, terminal);
    process.cwd = config.cwd;
    process.capabilities =
        isolation::process_capabilities(spec::bounding_capabilities(config), true);
    process.rlimits = isolation::default_rlimits(config.kind);
    process.no_new_privs = config.security.no_new_privs;
    process.stdio = terminal ? isolation::Stdio::Terminal : isolation::Stdio::Given;
    process.console_device = terminal;
    return process;
}

isolation::TimeOffset begin_at_zero(bool boottime, std::int64_t now) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    const std::int64_t seconds = (now + kSecond - 1) / kSecond;
    return {boottime, -seconds, static_cast<std::uint32_t>(seconds * kSecond - now)};
}

// A child in our memory takes us along when the guest's memory limit kills it. Its walls take well below a megabyte.
bool may_share_memory(const spec::GuestConfig& config,
                      const NamespaceSet& set,
                      const PlanSite& site) {
    constexpr std::uint64_t kRoom = std::uint64_t{16} << 20;
    const auto roomy = [](const std::optional<cgroups::Limit>& limit) {
        return !limit || limit->max || limit->value >= kRoom;
    };
    return (site.exec_enters_time || !set.has(Namespace::Time)) && roomy(config.limits.memory_max);
}

}  // namespace

Clocks Clocks::now() {
    const auto read = [](clockid_t clock) {
        timespec time{};
        (void)::clock_gettime(clock, &time);
        return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
    };
    const Clocks clocks{read(CLOCK_MONOTONIC), read(CLOCK_BOOTTIME)};
    const auto offsets = base::read_file_at(AT_FDCWD, "/proc/self/timens_offsets");
    return offsets ? clocks.without(offsets.value()) : clocks;
}

Clocks Clocks::without(std::string_view offsets) const {
    Clocks clocks = *this;
    std::istringstream lines{std::string(offsets)};
    std::string clock;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    while (lines >> clock >> seconds >> nanoseconds) {
        auto& time = clock == "boottime" ? clocks.boottime : clocks.monotonic;
        time -= seconds * 1'000'000'000 + nanoseconds;
    }
    return clocks;
}

base::Result<Lookups> look_up(const spec::GuestConfig& config) {
    Lookups lookups;
    for (const auto& request : config.security.devices) {
        struct stat status {};

        if (::stat(request.path.c_str(), &status) != 0) {
            return base::errno_error("look up device " + request.path).with_place("--device");
        }
        if (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode)) {
            return base::usage_error(base::printable(request.path) + " is not a device node")
                .with_place("--device");
        }
        isolation::DeviceRule rule;
        rule.type = S_ISCHR(status.st_mode) ? isolation::DeviceRule::Type::Char
                                            : isolation::DeviceRule::Type::Block;
        rule.major = major(status.st_rdev);
        rule.minor = minor(status.st_rdev);
        rule.read = request.access.find('r') != std::string::npos;
        rule.write = request.access.find('w') != std::string::npos;
        rule.make = request.access.find('m') != std::string::npos;
        rule.path = request.path;
        rule.mode = status.st_mode & 0777U;
        lookups.devices.push_back(std::move(rule));
    }
    for (const auto& mount : config.mounts) {
        struct stat status {};

        if (::stat(mount.source.c_str(), &status) != 0) {
            return base::errno_error("look up mount source " + mount.source).with_place("--mount");
        }
        lookups.bind_is_directory.push_back(S_ISDIR(status.st_mode));
    }
    return lookups;
}

isolation::SeccompConfig plan_seccomp(const spec::GuestConfig& config) {
    isolation::SeccompConfig seccomp;
    seccomp.capabilities = spec::bounding_capabilities(config);
    if (config.security.seccomp_unconfined) {
        seccomp.profile = isolation::SeccompProfile::Unconfined;
    } else if (!config.security.seccomp_file_text.empty()) {
        seccomp.profile = isolation::SeccompProfile::File;
        seccomp.file_text = config.security.seccomp_file_text;
    } else {
        seccomp.profile = config.kind == GuestKind::Machine ? isolation::SeccompProfile::Machine
                                                            : isolation::SeccompProfile::Command;
        seccomp.nesting = config.security.nesting;
    }
    return seccomp;
}

base::Result<LaunchPlan> plan_launch(const spec::ValidatedConfig& validated,
                                     const Lookups& lookups,
                                     const PlanSite& site) {
    const spec::GuestConfig& config = validated.get();
    LaunchPlan plan;
    plan.seccomp = plan_seccomp(config);
    plan.devices = isolation::default_devices(config.kind);
    plan.devices.insert(plan.devices.end(), lookups.devices.begin(), lookups.devices.end());
    plan.device_access = plan_device_access(plan.devices);
    if (site.id_base) {
        plan.root_uid = *site.id_base;
        plan.root_gid = *site.id_base;
        plan.id_map = isolation::IdMap::contiguous(*site.id_base, state::kLeaseIds);
    }

    isolation::GuestSpec& guest = plan.guest;
    guest.namespaces = plan_namespaces(config);
    if (site.clocks && guest.namespaces.has(Namespace::Time)) {
        guest.time_offsets = {begin_at_zero(false, site.clocks->monotonic),
                              begin_at_zero(true, site.clocks->boottime)};
    }
    guest.share_memory = may_share_memory(config, guest.namespaces, site);
    guest.hostname = spec::effective_hostname(config);
    guest.readonly_root = config.security.read_only_root;
    guest.mounts = plan_mounts(config, guest.namespaces, lookups);
    const bool nesting = config.security.nesting;
    const bool host_users = config.security.users == spec::Wall::Host;
    guest.masked_paths = isolation::default_masked_paths(config.kind, nesting, host_users);
    guest.readonly_paths = isolation::default_readonly_paths(config.kind, nesting, host_users);
    if (guest.namespaces.has(Namespace::Net)) {
        guest.netlink_requests.push_back(TRY(netns::loopback_up()).bytes);
    }
    guest.machine = config.kind == GuestKind::Machine;
    guest.process = plan_init(config, site.terminal);
    return plan;
}

isolation::JoinSpec plan_exec(const spec::GuestConfig& config, const JoinRequest& request) {
    isolation::JoinSpec join;
    join.namespaces = plan_namespaces(config);
    isolation::ProcessSpec& process = join.process;
    process.argv = request.command;
    process.env = plan_env(config, request.terminal);
    if (!request.home.empty()) {
        process.env = spec::merge_env(std::move(process.env), {"HOME=" + request.home});
    }
    process.env = spec::merge_env(std::move(process.env), request.env);
    process.cwd = request.cwd;
    process.uid = request.uid;
    process.gid = request.gid;
    process.additional_gids = request.groups;
    process.capabilities =
        isolation::process_capabilities(spec::bounding_capabilities(config), request.uid == 0);
    process.rlimits = isolation::default_rlimits(config.kind);
    process.no_new_privs = config.security.no_new_privs;
    process.stdio = request.terminal ? isolation::Stdio::Terminal : isolation::Stdio::Given;
    process.window = request.window;
    return join;
}

base::Result<std::string> describe(const LaunchPlan& plan, const spec::GuestConfig& config) {
    const auto recipe = TRY(isolation::plan_guest(plan.guest, isolation::SeccompProgram{}));
    std::string text = "guest " + config.name + "\nimage " + config.image + "\n";
    if (plan.id_map) {
        text += "ids 0-65535 -> " + std::to_string(plan.root_uid) + "-" +
                std::to_string(plan.root_uid + state::kLeaseIds - 1) + "\n";
    } else {
        text += "ids of the host\n";
    }
    text += "limits " + base::dump_json(cgroups::to_json(config.limits)) + "\n";
    for (const auto& rule : plan.devices) {
        text +=
            "device " + std::string(rule.type == isolation::DeviceRule::Type::Char ? "c " : "b ") +
            std::to_string(rule.major) + ":" + (rule.any_minor ? "*" : std::to_string(rule.minor)) +
            (rule.path.empty() ? "" : " " + rule.path) + "\n";
    }
    for (const auto& mount : config.mounts) {
        text +=
            "bind " + mount.source + " -> " + mount.target + (mount.read_only ? " ro" : "") + "\n";
    }
    return text + recipe.describe();
}

}  // namespace warren::engine
