#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "base/scope_exit.hpp"
#include "cgroups/cgroup_path.hpp"
#include "cgroups/device_program.hpp"
#include "cgroups/placement.hpp"
#include "cgroups/resource_writes.hpp"
#include "cgroups/subtree.hpp"
#include "cgroups/systemd_bus.hpp"
#include "cgroups/tree.hpp"

namespace warren::cgroups {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kScopeTimeout(30);
constexpr std::chrono::seconds kUndoTimeout(5);

SystemdManager manager_of(const CgroupRecord& record) {
    return record.user_manager ? SystemdManager::User : SystemdManager::Host;
}

// Nothing was handed over to us where the cgroup should be.
bool is_forbidden(const base::Error& error) {
    const int number = error.error_number();
    return number == EACCES || number == EPERM || number == EROFS;
}

base::Result<std::set<std::string>> tree_controllers(const Host& host) {
    const auto tree = TRY(base::open_dir(AT_FDCWD, host.mount_point));
    return own_controllers(tree.get());
}

// An ordinary user may load no program, and needs none: no device node works on what such a user can mount, and none
// can be made.
base::Status set_devices(int dir, const Resources& resources, bool rootless) {
    auto status = replace_device_program(dir, device_rules(resources));
    if (!status && rootless && is_forbidden(status.error())) {
        return base::ok();
    }
    return status;
}

base::Status fill_new(int dir,
                      const std::vector<Knob>& knobs,
                      const Resources& resources,
                      bool rootless) {
    TRY(bound_growth(dir));
    TRY(write_live(dir, knobs));
    return set_devices(dir, resources, rootless);
}

// systemd hands on only the controllers that it knows: hugetlb and rdma are turned on from above.
void enable_from_above(const Host& host,
                       const std::string& path,
                       const std::set<std::string>& needed) {
    auto here = base::open_dir(AT_FDCWD, host.mount_point);
    for (std::size_t start = 1; here;) {
        const auto own = own_controllers(here.value().get());
        for (const auto& controller : needed) {
            if (own && own.value().count(controller) != 0) {
                (void)enable_controller(here.value().get(), controller);
            }
        }
        const auto end = path.find('/', start);
        if (end == std::string::npos) {
            return;
        }
        here = base::open_dir(
            here.value().get(), path.substr(start, end - start), base::Resolve::NoSymlinks);
        start = end + 1;
    }
}

base::Status check_delegated(const Host& host,
                             const std::string& path,
                             int dir,
                             const std::vector<Knob>& knobs) {
    const auto needed = needed_controllers(knobs);
    auto own = TRY(own_controllers(dir));
    if (!std::includes(own.begin(), own.end(), needed.begin(), needed.end())) {
        enable_from_above(host, path, needed);
        own = TRY(own_controllers(dir));
    }
    return check_knobs(host, own, knobs);
}

void merge(std::vector<UnitProperty>& properties, const std::vector<UnitProperty>& newer) {
    for (const UnitProperty& one : newer) {
        const auto same = std::find_if(properties.begin(), properties.end(), [&](const auto& old) {
            return old.name == one.name;
        });
        if (same == properties.end()) {
            properties.push_back(one);
        } else {
            same->value = one.value;
        }
    }
}

// An earlier scope of that name may be on its way out, or have failed.
base::Status start_scope_anew(const CgroupRecord& record,
                              const std::vector<UnitProperty>& properties,
                              pid_t pid) {
    constexpr std::chrono::seconds kPatience(2);
    constexpr std::chrono::milliseconds kPause(20);
    const auto deadline = Clock::now() + kPatience;
    auto bus = TRY(SystemdBus::connect(manager_of(record)));
    for (;;) {
        auto started = bus.start_transient(
            record.scope, properties, {static_cast<std::uint32_t>(pid)}, kScopeTimeout);
        const bool again = !started && started.error().kind() == base::ErrorKind::Exists;
        if (!again || Clock::now() >= deadline) {
            return started;
        }
        (void)bus.reset_failed(record.scope);
        std::this_thread::sleep_for(kPause);
    }
}

}  // namespace

base::Result<std::optional<ContainerCgroup>> Placement::create(const Host& host,
                                                               const Resources& resources) const {
    const auto knobs = TRY(to_knobs(resources));
    TRY(check_knobs(host, TRY(tree_controllers(host)), knobs));
    ContainerCgroup out(record_);
    if (!record_.scope.empty()) {
        out.placement_ = *this;
        out.resources_ = resources;
        return std::optional(std::move(out));
    }
    const auto needed = needed_controllers(knobs);
    const auto nothing = [&](base::Error error) -> base::Result<std::optional<ContainerCgroup>> {
        if (rootless_ && needed.empty() && is_forbidden(error)) {
            return std::optional<ContainerCgroup>();
        }
        return error;
    };
    if (rootless_ && !can_move_to(host, record_.path)) {
        return nothing({base::ErrorKind::Unsupported,
                        EACCES,
                        "move a process to cgroup " + record_.path +
                            ": none is delegated to this user there"});
    }
    auto made = make_container_dir(host, record_.path, needed);
    if (!made) {
        return nothing(std::move(made).error());
    }
    base::ScopeExit undo([&] { (void)remove_container_cgroup(host, record_, kUndoTimeout); });
    const int dir = made.value().dir.get();
    TRY(base::with_context(fill_new(dir, knobs, resources, rootless_), "cgroup " + record_.path));
    out.cgroup_ = TRY(Cgroup::open(host, record_.path));
    undo.dismiss();
    return std::optional(std::move(out));
}

base::Result<ContainerCgroup> ContainerCgroup::open(const Host& host, const CgroupRecord& record) {
    ContainerCgroup out(record);
    out.cgroup_ = TRY(Cgroup::open(host, record.path));
    return out;
}

int ContainerCgroup::clone_dir() const {
    return cgroup_ ? cgroup_->dir() : -1;
}

base::Status ContainerCgroup::start_scope(const Host& host, pid_t pid) {
    const auto knobs = TRY(to_knobs(resources_));
    // The pids limit of systemd's own is not the container's, and a scope that failed must not keep its name.
    std::vector<UnitProperty> properties = {
        {"Description", placement_->description_},
        {"Slice", placement_->slice_},
        {"Delegate", true},
        {"DefaultDependencies", false},
        {"CollectMode", std::string("inactive-or-failed")},
        {"CPUAccounting", true},
        {"MemoryAccounting", true},
        {"IOAccounting", true},
        {"TasksAccounting", true},
        {"TasksMax", UINT64_MAX},
    };
    merge(properties, to_unit_properties(knobs));
    merge(properties, placement_->properties_);
    TRY(start_scope_anew(record_, properties, pid));
    base::ScopeExit undo([&] { (void)remove_container_cgroup(host, record_, kUndoTimeout); });
    const auto path = TRY(process_cgroup(host, pid));
    if (!path.ends_with("/" + record_.scope)) {
        return base::fail("find process " + std::to_string(pid) + " in " + record_.scope +
                          ": it is in " + path);
    }
    record_.path = path;
    auto cgroup = TRY(Cgroup::open(host, path));
    TRY(check_delegated(host, path, cgroup.dir(), knobs));
    TRY(base::with_context(fill_new(cgroup.dir(), knobs, resources_, placement_->rootless_),
                           "cgroup " + path));
    undo.dismiss();
    cgroup_ = std::move(cgroup);
    placement_.reset();
    return base::ok();
}

base::Status ContainerCgroup::adopt(const Host& host, pid_t pid) {
    if (!cgroup_) {
        return start_scope(host, pid);
    }
    if (TRY(process_cgroup(host, pid)) == record_.path) {
        return base::ok();
    }
    return base::with_context(
        base::write_knob_at(cgroup_->dir(), "cgroup.procs", std::to_string(pid)),
        "move process " + std::to_string(pid) + " to cgroup " + record_.path);
}

base::Status ContainerCgroup::apply(const Host& host,
                                    const Resources& resources,
                                    const std::string& pointer) const {
    const int dir = cgroup_->dir();
    const auto complete = TRY(complete_resources(dir, resources, pointer));
    const auto knobs = TRY(to_knobs(complete, pointer));
    TRY(check_knobs(host, TRY(own_controllers(dir)), knobs));
    const auto properties = to_unit_properties(knobs);
    if (!record_.scope.empty() && !properties.empty()) {
        auto bus = TRY(SystemdBus::connect(manager_of(record_)));
        TRY(bus.set_properties(record_.scope, properties));
    }
    const auto write = [&]() -> base::Status {
        TRY(write_live(dir, knobs));
        if (resources.devices.empty()) {
            return base::ok();
        }
        return set_devices(dir, resources, record_.user_manager);
    };
    return base::with_context(write(), "cgroup " + record_.path);
}

base::Result<base::Fd> ContainerCgroup::exec_dir(const Host& host,
                                                 const std::string& sub,
                                                 pid_t init) const {
    const auto open = [this](const std::string& below) -> base::Result<base::Fd> {
        auto dir = base::open_dir(cgroup_->dir(), below, base::Resolve::NoSymlinks);
        if (!dir && is_gone(dir.error())) {
            return base::Error(base::ErrorKind::NotFound,
                               dir.error().error_number(),
                               "open cgroup " + record_.path + "/" + below);
        }
        return dir;
    };
    if (!sub.empty() && sub.find_first_not_of('/') != std::string::npos) {
        return open(TRY(normalise_cgroup_path(sub)).substr(1));
    }
    const auto handed_on = TRY(base::read_file_at(cgroup_->dir(), "cgroup.subtree_control"));
    if (!sub.empty() || handed_on.find_first_not_of('\n') == std::string::npos) {
        return open(".");
    }
    const auto path = TRY(process_cgroup(host, init));
    if (!path.starts_with(record_.path + "/")) {
        return base::Error(base::ErrorKind::Busy,
                           "join cgroup " + record_.path +
                               ": it has handed controllers on, and the first process is in " +
                               path);
    }
    return open(path.substr(record_.path.size() + 1));
}

base::Result<ContainerStats> ContainerCgroup::stats() const {
    return base::with_context(read_container_stats(cgroup_->dir()), "cgroup " + record_.path);
}

base::Status remove_container_cgroup(const Host& host,
                                     const CgroupRecord& record,
                                     std::chrono::milliseconds timeout) {
    if (!record.path.empty()) {
        TRY(remove_cgroup(host, record.path, timeout));
    }
    if (record.scope.empty()) {
        if (!record.path.empty()) {
            remove_made_parents(host, record.path);
        }
        return base::ok();
    }
    auto bus = SystemdBus::connect(manager_of(record));
    if (!bus) {
        // Without its cgroup the scope ends by itself as soon as there is a systemd to see it.
        return record.path.empty() ? base::Status(std::move(bus).error()) : base::ok();
    }
    return bus.value().stop(record.scope, timeout);
}

void remove_unused_container_cgroup(const Host& host, const CgroupRecord& record) {
    if (record.scope.empty() && remove_unused_cgroup(host, record.path)) {
        remove_made_parents(host, record.path);
    }
}

}  // namespace warren::cgroups
