// What this program on this kernel can do: `features` (features-linux.md of the runtime specification).
#include <sys/syscall.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/fd.hpp"
#include "cgroups/host.hpp"
#include "isolation/capabilities.hpp"
#include "isolation/seccomp_oci.hpp"
#include "runtime/engine/oci/engine.hpp"
#include "runtime/engine/oci/host.hpp"
#include "runtime/spec/oci/config.hpp"
#include "runtime/spec/oci/mount_options.hpp"

namespace warren::engine::oci {

namespace {

using base::Json;

template <typename Words>
Json array_of(const Words& words) {
    Json array = Json::array();
    for (const auto& word : words) {
        array.push_back(std::string(word));
    }
    return array;
}

Json namespaces() {
    Json array = Json::array();
    constexpr std::pair<const char*, const char*> kNames[] = {{"cgroup", "cgroup"},
                                                              {"ipc", "ipc"},
                                                              {"mount", "mnt"},
                                                              {"network", "net"},
                                                              {"pid", "pid"},
                                                              {"time", "time"},
                                                              {"user", "user"},
                                                              {"uts", "uts"}};
    for (const auto& [name, file] : kNames) {
        if (::access((std::string("/proc/self/ns/") + file).c_str(), F_OK) == 0) {
            array.push_back(name);
        }
    }
    return array;
}

Json cgroup() {
    const auto host = cgroups::probe_host();
    const bool v2 = host && host.value().mode != cgroups::HostMode::Absent;
    const bool systemd = v2 && host.value().systemd;
    Json value = Json::object();
    value["v1"] = false;
    value["v2"] = v2;
    value["systemd"] = systemd;
    value["systemdUser"] = systemd;
    // A kernel that has the controller shows it at the top of the tree.
    value["rdma"] = v2 && ::access((host.value().mount_point + "/rdma.current").c_str(), F_OK) == 0;
    return value;
}

Json seccomp() {
    Json value = Json::object();
    value["enabled"] = true;
    value["actions"] = array_of(isolation::oci_seccomp_actions());
    value["operators"] = array_of(isolation::oci_seccomp_operators());
    value["archs"] = array_of(isolation::oci_seccomp_architectures());
    value["knownFlags"] = array_of(isolation::oci_seccomp_flags());
    value["supportedFlags"] = array_of(isolation::supported_oci_seccomp_flags());
    return value;
}

Json enabled(bool yes) {
    return Json{{"enabled", yes}};
}

// mount_setattr(2), Linux 5.12: the same release brought idmapped mounts.
bool has_idmapped_mounts() {
    return ::syscall(SYS_mount_setattr, -1, "", 0, nullptr, 0) != 0 && errno != ENOSYS;
}

Json linux_features() {
    Json value = Json::object();
    value["namespaces"] = namespaces();
    value["capabilities"] = array_of(isolation::capability_names(isolation::all_capabilities()));
    value["cgroup"] = cgroup();
    value["seccomp"] = seccomp();
    value["apparmor"] = enabled(has_apparmor());
    value["selinux"] = enabled(has_selinux());
    value["intelRdt"] = enabled(true);  // whatever this host has
    value["mountExtensions"] = Json{{"idmap", enabled(has_idmapped_mounts())}};
    value["netDevices"] = enabled(false);
    return value;
}

}  // namespace

base::Json Engine::features() const {
    Json value = Json::object();
    value["ociVersionMin"] = "1.0.0";
    value["ociVersionMax"] = std::string(spec::oci::kOciVersion);
    value["hooks"] = array_of(std::initializer_list<std::string_view>{
        "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"});
    value["mountOptions"] = array_of(spec::oci::mount_option_words());
    value["linux"] = linux_features();
    value["annotations"] = Json::object();
    value["potentiallyUnsafeConfigAnnotations"] = Json::array();
    return value;
}

}  // namespace warren::engine::oci
