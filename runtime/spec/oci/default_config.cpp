#include "runtime/spec/oci/default_config.hpp"

#include <string>

#include <nlohmann/json.hpp>

#include "runtime/spec/oci/config.hpp"

namespace warren::spec::oci {

namespace {

using base::Json;

Json mount(const char* destination, const char* type, const char* source, const Json& options) {
    Json out = {{"destination", destination}, {"type", type}, {"source", source}};
    if (!options.empty()) {
        out["options"] = options;
    }
    return out;
}

Json process() {
    const Json capabilities = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
    Json out = {{"terminal", true}, {"user", {{"uid", 0}, {"gid", 0}}}};
    out["args"] = Json::array({"sh"});
    out["env"] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                  "TERM=xterm"};
    out["cwd"] = "/";
    // Ambient ones would need to be inheritable, too.
    for (const char* set : {"bounding", "effective", "permitted"}) {
        out["capabilities"][set] = capabilities;
    }
    constexpr int kFiles = 1024;
    out["rlimits"] = Json::array({{{"type", "RLIMIT_NOFILE"}, {"hard", kFiles}, {"soft", kFiles}}});
    out["noNewPrivileges"] = true;
    return out;
}

Json mounts(bool rootless) {
    Json out = Json::array();
    out.push_back(mount("/proc", "proc", "proc", Json::array()));
    out.push_back(
        mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}));
    Json pts = {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"};
    if (!rootless) {
        pts.push_back("gid=5");  // an id that a rootless container has no map for
    }
    out.push_back(mount("/dev/pts", "devpts", "devpts", pts));
    out.push_back(mount(
        "/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}));
    out.push_back(mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}));
    // A new sysfs needs a network namespace of one's own.
    out.push_back(rootless
                      ? mount("/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"})
                      : mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}));
    out.push_back(mount(
        "/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}));
    return out;
}

Json namespaces(bool rootless) {
    Json out = Json::array();
    for (const char* type : {"pid", "network", "ipc", "uts", "mount", "cgroup"}) {
        if (!rootless || std::string(type) != "network") {
            out.push_back({{"type", type}});
        }
    }
    if (rootless) {
        out.push_back({{"type", "user"}});
    }
    return out;
}

Json one_id(std::uint32_t host) {
    return Json::array({{{"containerID", 0}, {"hostID", host}, {"size", 1}}});
}

Json linux_section(const DefaultConfigOptions& options) {
    Json out = Json::object();
    if (options.rootless) {
        out["uidMappings"] = one_id(options.uid);
        out["gidMappings"] = one_id(options.gid);
    } else {
        out["resources"]["devices"] = Json::array({{{"allow", false}, {"access", "rwm"}}});
    }
    out["namespaces"] = namespaces(options.rootless);
    out["maskedPaths"] = {"/proc/acpi",
                          "/proc/asound",
                          "/proc/kcore",
                          "/proc/keys",
                          "/proc/latency_stats",
                          "/proc/timer_list",
                          "/proc/timer_stats",
                          "/proc/sched_debug",
                          "/sys/firmware",
                          "/proc/scsi"};
    out["readonlyPaths"] = {
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
    return out;
}

}  // namespace

Json default_config(const DefaultConfigOptions& options) {
    Json out = Json::object();
    out["ociVersion"] = std::string(kOciVersion);
    out["process"] = process();
    out["root"] = {{"path", "rootfs"}, {"readonly", true}};
    out["hostname"] = "warren";
    out["mounts"] = mounts(options.rootless);
    out["linux"] = linux_section(options);
    return out;
}

}  // namespace warren::spec::oci
