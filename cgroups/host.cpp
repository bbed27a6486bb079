#include "cgroups/host.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <linux/magic.h>
#include <sys/stat.h>

#include "base/fd.hpp"
#include "base/kernel_release.hpp"
#include "cgroups/mount_query.hpp"
#include "cgroups/mountinfo.hpp"

namespace warren::cgroups {

namespace {

constexpr std::array kControllers = {Controller::Cpu,
                                     Controller::Cpuset,
                                     Controller::Memory,
                                     Controller::Io,
                                     Controller::Pids,
                                     Controller::Hugetlb};
constexpr std::string_view kUnifiedMount = "/sys/fs/cgroup";

std::string_view v1_name(Controller controller) {
    return controller == Controller::Io ? "blkio" : name(controller);
}

bool has_word(std::string_view list, std::string_view word, std::string_view separators) {
    while (!list.empty()) {
        const auto end = std::min(list.find_first_of(separators), list.size());
        if (list.substr(0, end) == word) {
            return true;
        }
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return false;
}

// The usual places before others, a whole tree before a piece of one that is bound somewhere.
std::optional<CgroupMount> choose_tree(const std::vector<CgroupMount>& mounts) {
    const auto rank = [](const CgroupMount& mount) {
        return (mount.root == "/" ? 0 : 4) + (mount.mount_point == kUnifiedMount              ? 0
                                              : mount.mount_point == "/sys/fs/cgroup/unified" ? 1
                                                                                              : 2);
    };
    const CgroupMount* best = nullptr;
    for (const CgroupMount& mount : mounts) {
        if (mount.unified && (best == nullptr || rank(mount) < rank(*best))) {
            best = &mount;
        }
    }
    return best == nullptr ? std::nullopt : std::optional(*best);
}

// The v2 tree in its usual place, when it is mounted there as a whole; none also when this kernel cannot tell.
std::optional<CgroupMount> whole_tree(const std::string& prefix) {
    const auto mount = query_mount(prefix + std::string(kUnifiedMount));
    if (!mount || mount->magic != CGROUP2_SUPER_MAGIC || mount->root != "/") {
        return std::nullopt;
    }
    CgroupMount tree;
    tree.unified = true;
    tree.root = "/";
    tree.mount_point = kUnifiedMount;
    return tree;
}

// The "0::/path" line of cgroups(7), as seen below a mount whose root is `mount_root`.
std::string parse_own_path(std::string_view text, const std::string& mount_root) {
    constexpr std::string_view kPrefix = "0::";
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!line.starts_with(kPrefix)) {
            continue;
        }
        line.remove_prefix(kPrefix.size());
        if (mount_root != "/" && line.starts_with(mount_root)) {
            line.remove_prefix(mount_root.size());
        }
        return line.starts_with('/') ? std::string(line) : "/";
    }
    return "/";
}

// In every cgroup but the root, where it cannot be looked for.
constexpr base::KernelRelease kFirstWithKill{5, 14};

// sd_booted(3) asks for the directory alone, but that can be left over, or be another host's that a
// container sees.
bool is_systemd_first(const std::string& prefix) {
    struct stat info = {};
    if (::lstat((prefix + "/run/systemd/system").c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
        return false;
    }
    const auto first = base::read_file_at(AT_FDCWD, prefix + "/proc/1/comm");
    return first && first.value() == "systemd\n";
}

base::Result<bool> probe_kill(const std::string& prefix, const Host& host) {
    const auto own = prefix + host.mount_point + host.own_path;
    if (host.own_path != "/" && TRY(base::exists_at(AT_FDCWD, own + "/cgroup.procs"))) {
        return base::exists_at(AT_FDCWD, own + "/cgroup.kill");
    }
    const auto release = TRY(base::read_file_at(AT_FDCWD, prefix + "/proc/sys/kernel/osrelease"));
    return base::parse_kernel_release(release) >= kFirstWithKill;
}

void find_controllers(Host& host,
                      std::string_view available,
                      const std::vector<CgroupMount>& mounts) {
    for (const Controller controller : kControllers) {
        if (has_word(available, name(controller), " \n")) {
            host.controllers.insert(controller);
            continue;
        }
        for (const CgroupMount& mount : mounts) {
            if (!mount.unified && has_word(mount.options, v1_name(controller), ",")) {
                host.elsewhere.emplace(controller, mount.mount_point);
            }
        }
    }
}

// The options of the command line that need a controller.
std::string option_names(const Limits& limits, Controller controller) {
    struct Option {
        const char* text;
        Limits alone;
    };

    std::vector<Option> options(12);
    std::size_t used = 0;
    const auto option = [&](const char* text) -> Limits& {
        options[used].text = text;
        return options[used++].alone;
    };
    option("--cpus").cpu_max_micros = limits.cpu_max_micros;
    option("--cpu-weight").cpu_weight = limits.cpu_weight;
    option("--cpuset").cpuset = limits.cpuset;
    option("--memory").memory_max = limits.memory_max;
    option("--memory-high").memory_high = limits.memory_high;
    Limits& guarantee = option("--memory-guarantee");
    guarantee.memory_low = limits.memory_low;
    guarantee.memory_min = limits.memory_min;
    option("--swap").swap_max = limits.swap_max;
    option("--pids").pids_max = limits.pids_max;
    option("--io-weight").io_weight = limits.io_weight;
    option("--io-max").io_max = limits.io_max;
    option("--hugepages").hugetlb = limits.hugetlb;
    std::string names;
    for (const Option& one : options) {
        const auto needed = needed_controllers(one.alone);
        if (std::find(needed.begin(), needed.end(), controller) != needed.end()) {
            names += (names.empty() ? "" : ", ") + std::string(one.text);
        }
    }
    return names;
}

std::string explain_missing(const Host& host, const Limits& limits, Controller controller) {
    const auto options = option_names(limits, controller);
    const bool many = options.find(',') != std::string::npos;
    auto text = (many ? "limits " : "limit ") + options + (many ? " need the " : " needs the ") +
                std::string(name(controller)) + " controller, which ";
    if (const auto v1 = v1_mount(host, name(controller))) {
        return text + "this " + (host.mode == HostMode::Hybrid ? "hybrid " : "") +
               "host mounts as cgroup v1 at " + *v1;
    }
    return text + "is not in " + host.mount_point + "/cgroup.controllers";
}

}  // namespace

base::Result<Host> probe_host(const std::string& root) {
    const auto prefix = root == "/" ? std::string() : root;
    Host host;
    host.systemd = is_systemd_first(prefix);
    auto tree = whole_tree(prefix);
    std::vector<CgroupMount> mounts;
    if (!tree) {
        mounts = parse_cgroup_mounts(
            TRY(base::read_file_at(AT_FDCWD, prefix + "/proc/self/mountinfo", kMountinfoBytesMax)));
        tree = choose_tree(mounts);
    }
    if (!tree) {
        find_controllers(host, "", mounts);
        return host;
    }
    const bool has_v1 = std::any_of(
        mounts.begin(), mounts.end(), [](const CgroupMount& mount) { return mount.controllers(); });
    host.mode =
        tree->mount_point == kUnifiedMount || !has_v1 ? HostMode::Unified : HostMode::Hybrid;
    host.mount_point = tree->mount_point;
    host.own_path =
        parse_own_path(TRY(base::read_file_at(AT_FDCWD, prefix + "/proc/self/cgroup")), tree->root);
    find_controllers(
        host,
        TRY(base::read_file_at(AT_FDCWD, prefix + host.mount_point + "/cgroup.controllers")),
        mounts);
    host.kill = TRY(probe_kill(prefix, host));
    return host;
}

std::optional<std::string> v1_mount(const Host& host, std::string_view controller) {
    Host whole;
    if (host.mode == HostMode::Unified) {
        const auto mountinfo =
            base::read_file_at(AT_FDCWD, "/proc/self/mountinfo", kMountinfoBytesMax);
        find_controllers(whole, "", parse_cgroup_mounts(mountinfo ? mountinfo.value() : ""));
    }
    for (const Host* from : {&host, &std::as_const(whole)}) {
        for (const auto& [v1, mount] : from->elsewhere) {
            if (name(v1) == controller) {
                return mount;
            }
        }
    }
    return std::nullopt;
}

bool has_pressure(const std::string& root) {
    const auto prefix = root == "/" ? std::string() : root;
    return base::read_file_at(AT_FDCWD, prefix + "/proc/pressure/cpu").has_value();
}

base::Error absent_error() {
    return {base::ErrorKind::Unsupported,
            "this host has no cgroup v2 tree mounted, boot with "
            "systemd.unified_cgroup_hierarchy=1, or mount -t cgroup2 none /sys/fs/cgroup"};
}

base::Status check_limits(const Host& host, const Limits& limits) {
    std::string text;
    std::size_t missing = 0;
    bool mounted_v1 = false;
    for (const Controller controller : needed_controllers(limits)) {
        if (host.controllers.count(controller) != 0) {
            continue;
        }
        if (host.mode == HostMode::Absent) {
            return absent_error();
        }
        text += (missing++ == 0 ? "" : "; ") + explain_missing(host, limits, controller);
        mounted_v1 = mounted_v1 || v1_mount(host, name(controller)).has_value();
    }
    if (missing == 0) {
        return base::ok();
    }
    const char* them = missing == 1 ? "leave the limit out" : "leave the limits out";
    const char* remedy =
        mounted_v1 ? "; boot with systemd.unified_cgroup_hierarchy=1 (or "
                     "cgroup_no_v1=all), or "
                   : "; boot a kernel that has it (memory may need cgroup_enable=memory), "
                     "have it delegated to this container, or ";
    return base::Error(base::ErrorKind::Unsupported, text + remedy + them);
}

}  // namespace warren::cgroups
