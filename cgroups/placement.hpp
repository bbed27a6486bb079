// Where an OCI container's cgroup is, and the handle on it. Two ways:
//
//   cgroupfs   we make the directory; the container's first process is born in it (CLONE_INTO_CGROUP).
//   systemd    a transient scope a container (systemd.scope(5)), asked for over D-Bus with the process in PIDs=: the
//              process exists first and is adopted while it waits to be released. systemd makes the directory, hands
//              it over (Delegate=yes) and removes it; what it knows of the limits it is told as properties, so that a
//              reload of it changes nothing, and all of them are written to the files as well.
//
// The ladder of create, the same for both ways:
//
//   auto place = Placement::resolve(host, request);       pure: errors in the config show here
//   place.record()                                        -> saved in the state file, before anything is made, as not yet
//                                                            ours: what is found there may be another's
//   auto cgroup = place.create(host, resources);          cgroupfs: made, limited, devices; systemd: nothing yet
//   clone3(... cgroup->clone_dir() ...)                   -1: without CLONE_INTO_CGROUP
//   cgroup->adopt(pid);                                   always, before the process is released
//   cgroup->record()                                      -> saved again: now the path is the true one. As ours it is
//                                                            saved as soon as it is made: cgroupfs after create(),
//                                                            systemd after adopt()
//
// The new cgroup namespace's root is the cgroup that the process is in at the time of unshare(CLONE_NEWCGROUP):
// the child unshares it after its release. With CLONE_NEWCGROUP at clone3 it would be the parent's cgroup.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "cgroups/cgroup.hpp"
#include "cgroups/container_stats.hpp"
#include "cgroups/host.hpp"
#include "cgroups/resources.hpp"
#include "cgroups/unit_properties.hpp"

namespace warren::cgroups {

struct PlacementRequest {
    std::string cgroups_path;  // linux.cgroupsPath as it is written; empty: absent
    std::string id;            // the container's; checked by the caller
    bool systemd = false;      // --systemd-cgroup
    // We are not the host's root: the user's own systemd (its bus is found by DBUS_SESSION_BUS_ADDRESS or
    // XDG_RUNTIME_DIR), and a cgroup only where one was delegated to us.
    bool rootless = false;
    // "org.systemd.property.NAME": VALUE in GVariant's text form becomes a property of the scope. Others are
    // not looked at; without `systemd` none is.
    std::map<std::string, std::string> annotations;
};

// What a state file remembers. Strings as they are to be stored.
struct CgroupRecord {
    // Below the v2 mount point: "/a/b". Empty: the container is in its caller's cgroup (rootless without
    // delegation), or in a scope of which it is not known yet where it is.
    std::string path;
    std::string scope;          // "libpod-1234.scope"; empty: no systemd
    bool user_manager = false;  // the scope is the user's own systemd's
    bool operator==(const CgroupRecord&) const = default;
};

class ContainerCgroup;

// A value.
class Placement {
public:
    // cgroupfs: "/a/b" is below the v2 mount point, "a/b" too (rootless: beside our own cgroup), absent is "ID".
    // systemd: "SLICE:PREFIX:NAME" is PREFIX-NAME.scope in SLICE; an empty slice is system.slice (user.slice when
    // rootless), an empty prefix is NAME.scope alone, absent is "SLICE:warren-oci:ID".
    // Usage, with the place /linux/cgroupsPath (or /annotations/...): "..", the wrong one of the two forms, names
    // that systemd cannot have. Unsupported: no v2 tree; no systemd.
    [[nodiscard]] static base::Result<Placement> resolve(const Host& host,
                                                         const PlacementRequest& request);

    [[nodiscard]] const CgroupRecord& record() const { return record_; }

    [[nodiscard]] const std::string& slice() const { return slice_; }

    // Makes the directory and those on the way to it, each with the controllers that are there turned on for its
    // children; then limits and devices. What was made is removed again on failure. An empty cgroup that is there
    // already is used; Busy when it has processes or is frozen, or when a directory on the way has processes or is
    // threaded and so cannot hand on a controller that the limits need: the error names it.
    // Unsupported: a limit whose controller or file this host does not have; the error names both.
    // systemd: checks the resources only.
    // Nothing: rootless, no cgroup can be made where it should be, and no limit is asked for.
    [[nodiscard]] base::Result<std::optional<ContainerCgroup>> create(
        const Host& host, const Resources& resources) const;

private:
    Placement() = default;

    friend class ContainerCgroup;

    CgroupRecord record_;
    std::string slice_;
    std::string description_;
    bool rootless_ = false;
    std::vector<UnitProperty> properties_;  // of the annotations
};

// A handle; does not own the kernel object: remove() is explicit. Move-only.
class ContainerCgroup {
public:
    // From a state file. NotFound when the cgroup is gone, or the record has no path.
    [[nodiscard]] static base::Result<ContainerCgroup> open(const Host& host,
                                                            const CgroupRecord& record);

    ContainerCgroup(ContainerCgroup&&) = default;
    ContainerCgroup& operator=(ContainerCgroup&&) = default;
    ContainerCgroup(const ContainerCgroup&) = delete;
    ContainerCgroup& operator=(const ContainerCgroup&) = delete;
    ~ContainerCgroup() = default;

    [[nodiscard]] const CgroupRecord& record() const { return record_; }

    // For CLONE_INTO_CGROUP; -1: the process cannot be born in it and waits for adopt().
    [[nodiscard]] int clone_dir() const;

    // Puts a process into the cgroup: under systemd starts the scope with it, then limits and devices. A process
    // that is in it already stays. On failure the scope is stopped, which ends the process.
    [[nodiscard]] base::Status adopt(const Host& host, pid_t pid);

    // The limits named change, live; the others stay. Through systemd's SetUnitProperties too. Devices only when
    // there are any. Usage, Unsupported as in create(); `pointer` as in to_knobs().
    [[nodiscard]] base::Status apply(const Host& host,
                                     const Resources& resources,
                                     const std::string& pointer = "") const;

    // For processes that join a running container: the cgroup itself, or below it when it has handed controllers on
    // and so takes none: then where `init` is. `sub`, when not empty, is a directory below ("/": itself) that exists.
    // Usage: "..". NotFound: no such directory.
    [[nodiscard]] base::Result<base::Fd> exec_dir(const Host& host,
                                                  const std::string& sub,
                                                  pid_t init) const;

    // Freeze, thaw, frozen, kill (all), processes (of the whole subtree), delegate, wait_empty. Only after adopt(),
    // or from open().
    [[nodiscard]] const Cgroup& cgroup() const { return *cgroup_; }

    [[nodiscard]] base::Result<ContainerStats> stats() const;

private:
    explicit ContainerCgroup(CgroupRecord record) : record_(std::move(record)) {}

    friend class Placement;

    [[nodiscard]] base::Status start_scope(const Host& host, pid_t pid);

    CgroupRecord record_;
    std::optional<Cgroup> cgroup_;        // absent: a scope that is not started yet
    std::optional<Placement> placement_;  // until then
    Resources resources_;
};

// Kills what is inside, waits, stops the scope, removes the directory with all below it, and those above it that
// create() made and that are empty now. Gone already is success, and so is a record of nothing.
[[nodiscard]] base::Status remove_container_cgroup(const Host& host,
                                                   const CgroupRecord& record,
                                                   std::chrono::milliseconds timeout);

// For who may have died within create() or adopt(), and so does not know whether the cgroup is another's: the directory
// goes while nobody is in it, and those above it as with remove_container_cgroup(). No process is ended; a scope that
// was started with ours ends with it.
void remove_unused_container_cgroup(const Host& host, const CgroupRecord& record);

}  // namespace warren::cgroups
