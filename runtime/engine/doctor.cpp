#include <algorithm>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/units.hpp"
#include "images/rootfs.hpp"
#include "isolation/capabilities.hpp"
#include "runtime/engine/context.hpp"
#include "runtime/engine/engine.hpp"

namespace warren::engine {

namespace {

using Level = Finding::Level;

// Collects findings group by group.
class Report {
public:
    void begin(std::string group) { group_ = std::move(group); }

    void add(Level level, std::string subject, std::string state, std::string remedy) {
        Finding finding;
        finding.level = level;
        finding.subject = std::move(subject);
        finding.state = std::move(state);
        finding.remedy = std::move(remedy);
        finding.group = group_;
        // What cannot be done at all is told as Cannot only where no guest can run without it.
        finding.essential = level == Level::Cannot;
        findings_.push_back(std::move(finding));
    }

    [[nodiscard]] const std::vector<Finding>& findings() const { return findings_; }

private:
    std::string group_;
    std::vector<Finding> findings_;
};

std::string sysctl_path(std::string key) {
    std::replace(key.begin(), key.end(), '.', '/');
    return "/proc/sys/" + key;
}

void check_kernel(const spec::HostCaps& host, Report& report) {
    report.begin("kernel");
    report.add(host.is_root ? Level::Ok : Level::Cannot,
               "root",
               host.is_root ? "running as root with CAP_SYS_ADMIN" : "not root",
               host.is_root ? "" : "run it with sudo");
    report.add(Level::Info, "kernel", host.kernel_release, "");
    report.add(host.user_namespaces ? Level::Ok : Level::Cannot,
               "user namespaces",
               host.user_namespaces ? "there" : "not there",
               host.user_namespaces
                   ? ""
                   : "set user.max_user_namespaces above 0 or use a kernel with CONFIG_USER_NS; "
                     "--userns host does without, and weakens the walls");
    report.add(host.time_namespaces ? Level::Ok : Level::Warning,
               "time namespaces",
               host.time_namespaces ? "there" : "not there",
               host.time_namespaces ? ""
                                    : "use a kernel with CONFIG_TIME_NS, or create guests "
                                      "with --time host");
    report.add(host.seccomp_filter ? Level::Ok : Level::Cannot,
               "seccomp filters",
               host.seccomp_filter ? "there" : "not there",
               host.seccomp_filter ? "" : "use a kernel with CONFIG_SECCOMP_FILTER");
    const std::uint64_t sys_resource = std::uint64_t{1} << 24U;
    if ((host.capabilities & sys_resource) == 0) {
        report.add(Level::Warning,
                   "CAP_SYS_RESOURCE",
                   "not ours",
                   "hard limits cannot be raised for guests; run where the capability is given");
    }
}

void check_cgroups(const cgroups::Host& host, Report& report) {
    report.begin("cgroups");
    switch (host.mode) {
        case cgroups::HostMode::Unified:
            report.add(Level::Ok, "cgroups", "v2 at " + host.mount_point, "");
            break;
        case cgroups::HostMode::Hybrid:
            report.add(
                Level::Warning,
                "cgroups",
                "hybrid: v2 at " + host.mount_point + " tracks, freezes and kills only",
                "boot with systemd.unified_cgroup_hierarchy=1 or cgroup_no_v1=all for limits");
            break;
        case cgroups::HostMode::Absent:
            report.add(Level::Cannot,
                       "cgroups",
                       "no cgroup v2 tree",
                       "mount -t cgroup2 cgroup2 /sys/fs/cgroup");
            return;
    }
    for (const auto controller : {cgroups::Controller::Cpu,
                                  cgroups::Controller::Cpuset,
                                  cgroups::Controller::Memory,
                                  cgroups::Controller::Io,
                                  cgroups::Controller::Pids,
                                  cgroups::Controller::Hugetlb}) {
        const std::string subject = std::string(cgroups::name(controller)) + " controller";
        if (host.controllers.contains(controller)) {
            report.add(Level::Ok, subject, "usable", "");
            continue;
        }
        const auto v1 = cgroups::v1_mount(host, cgroups::name(controller));
        report.add(Level::Warning,
                   subject,
                   v1 ? "mounted as cgroup v1 at " + *v1 : "not there",
                   v1 ? "boot with cgroup_no_v1=all; its limits are refused until then"
                      : "use a kernel that has it; its limits are refused");
    }
    const bool pressure = cgroups::has_pressure();
    report.add(pressure ? Level::Ok : Level::Info,
               "pressure (PSI)",
               pressure ? "there" : "not there",
               pressure ? "" : "boot with psi=1");
    report.add(host.kill ? Level::Ok : Level::Info,
               "cgroup.kill",
               host.kill ? "there" : "not there: guests are killed process by process",
               "");
}

void check_disk(int root_dir, const std::string& path, Report& report) {
    report.begin("disk");
    if (root_dir < 0) {
        report.add(Level::Info, "disk", path + " does not exist yet", "");
        return;
    }
    const auto support = images::probe_disk(root_dir);
    if (!support) {
        report.add(Level::Warning, "disk", support.error().describe(), "");
        return;
    }
    const auto& disk = support.value();
    const bool good = disk.idmapped && disk.overlay_upper;
    report.add(
        good ? Level::Ok : Level::Cannot,
        "disk",
        path + " on " + disk.fs_type + (good ? ": id-mapped overlays work" : ": " + disk.why_not),
        good ? "" : "put --root on ext4, xfs or btrfs");
    report.add(disk.project_quota ? Level::Ok : Level::Info,
               "project quota",
               disk.project_quota ? "there" : "not there on " + path,
               disk.project_quota ? "" : "mount the file system with prjquota");
}

// Limits of the kernel that many guests run into, with the number each guest of the usual kind takes.
struct KernelLimit {
    const char* key;
    std::uint64_t wanted;
    const char* what;
};

void check_limits(Report& report) {
    report.begin("limits");
    static constexpr KernelLimit kLimits[] = {
        {"kernel.pid_max", 1U << 20U, "processes and threads of all guests"},
        {"kernel.threads-max", 1U << 18U, "threads of all guests"},
        {"user.max_user_namespaces", 20000, "guests"},
        {"user.max_mnt_namespaces", 20000, "guests, and services inside them"},
        {"user.max_net_namespaces", 20000, "guests"},
        {"user.max_pid_namespaces", 20000, "guests"},
        {"fs.inotify.max_user_instances", 1024, "inotify instances of each user of each guest"},
        {"fs.inotify.max_user_watches", 65536, "inotify watches of each user of each guest"},
        {"kernel.keys.maxkeys", 2000, "keys of each user of each guest"},
        {"kernel.pty.max", 8192, "terminals of all guests"},
        {"fs.file-max", 1U << 20U, "open files of all guests"},
        {"fs.mount-max", 100000, "mounts of each guest"},
        {"net.ipv4.neigh.default.gc_thresh3", 8192, "neighbours of the whole kernel"},
    };
    for (const auto& limit : kLimits) {
        const auto text = base::read_file_at(AT_FDCWD, sysctl_path(limit.key));
        if (!text) {
            continue;
        }
        const std::string digits = text.value().substr(0, text.value().find('\n'));
        const auto value = base::parse_uint(digits, 0, UINT64_MAX);
        const bool enough = value && value.value() >= limit.wanted;
        report.add(
            enough ? Level::Ok : Level::Warning,
            limit.key,
            digits + " (" + limit.what + ")",
            enough ? ""
                   : std::string("sysctl -w ") + limit.key + "=" + std::to_string(limit.wanted));
    }
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max < 4096) {
        report.add(Level::Warning,
                   "open files",
                   std::to_string(files.rlim_max) + " for warren itself",
                   "ulimit -n 4096: batches hold a few per guest");
    }
}

void check_programs(Report& report) {
    report.begin("programs");
    for (const auto* program : {"/usr/bin/mmdebstrap", "/bin/busybox"}) {
        const bool there = ::access(program, X_OK) == 0;
        report.add(
            there ? Level::Ok : Level::Info,
            program,
            there ? "there" : "not there",
            there ? "" : "apt-get install mmdebstrap busybox-static, for `warren image build`");
    }
}

}  // namespace

base::Result<std::vector<Finding>> Engine::doctor() {
    Report report;
    check_kernel(host_, report);
    check_cgroups(host_.cgroup, report);
    check_disk(store_.root_dir(), paths_.store.root, report);
    check_limits(report);
    check_programs(report);
    return report.findings();
}

}  // namespace warren::engine
