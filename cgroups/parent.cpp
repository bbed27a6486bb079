#include <algorithm>
#include <cerrno>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "cgroups/cgroup.hpp"
#include "cgroups/events.hpp"
#include "cgroups/holder.hpp"
#include "cgroups/subtree.hpp"
#include "cgroups/systemd_scope.hpp"
#include "cgroups/tree.hpp"

namespace warren::cgroups {

namespace {

using Clock = std::chrono::steady_clock;

// In a delegated scope no process may be in the scope itself once controllers are on. No guest's name
// starts so.
constexpr const char* kHolderName = "_holder";
constexpr std::chrono::seconds kParentTimeout(30);
constexpr std::chrono::milliseconds kPause(10);

bool in_scope(const Host& host, const ParentConfig& config) {
    return host.systemd && config.configured_path.empty();
}

// Closing what was opened and removing the leaf is left to the Parent that gets it.
base::Result<Holder> hold_in_leaf(int scope) {
    (void)TRY(make_cgroup_dir(scope, kHolderName));
    const auto leaf = TRY(base::open_dir(scope, kHolderName));
    return start_holder(leaf.get());
}

// Moves a process that systemd has put into the scope down into the leaf.
base::Status move_to_leaf(int scope, pid_t pid) {
    (void)TRY(make_cgroup_dir(scope, kHolderName));
    return base::write_knob_at(
        scope, std::string(kHolderName) + "/cgroup.procs", std::to_string(pid));
}

// systemd does not know this controller and so never turns it on above its scopes.
void enable_hugetlb(int tree) {
    (void)enable_controller(tree, "hugetlb");
    const auto slice = base::open_dir(tree, kSlice);
    if (slice) {
        (void)enable_controller(slice.value().get(), "hugetlb");
    }
}

struct HeldScope {
    base::Fd dir;
    Holder holder;
};

// Into a scope that lives; nothing when there is none, or it ended while we looked.
base::Result<std::optional<HeldScope>> join_scope(int tree, const std::string& path) {
    auto dir = base::open_dir(tree, path);
    if (!dir) {
        if (is_gone(dir.error())) {
            return std::optional<HeldScope>();
        }
        return std::move(dir).error();
    }
    if (!TRY(read_events(dir.value().get())).populated) {
        return std::optional<HeldScope>();
    }
    auto holder = hold_in_leaf(dir.value().get());
    if (!holder) {
        if (is_gone(holder.error())) {
            return std::optional<HeldScope>();
        }
        return std::move(holder).error();
    }
    return std::optional(HeldScope{std::move(dir).value(), std::move(holder).value()});
}

// Nothing when another caller was faster, or the scope ended at once: look again.
base::Result<std::optional<HeldScope>> make_scope(int tree,
                                                  const std::string& path,
                                                  std::chrono::milliseconds timeout) {
    HeldScope scope{{}, TRY(start_holder(-1))};
    auto started = start_scope(path.substr(path.rfind('/') + 1), scope.holder.pid, timeout);
    if (!started) {
        end_holder(std::move(scope.holder));
        if (started.error().kind() == base::ErrorKind::Exists) {
            return std::optional<HeldScope>();
        }
        return std::move(started).error();
    }
    const auto settle = [&]() -> base::Status {
        scope.dir = TRY(base::open_dir(tree, path));
        return move_to_leaf(scope.dir.get(), scope.holder.pid);
    };
    auto settled = settle();
    if (!settled) {
        end_holder(std::move(scope.holder));
        if (is_gone(settled.error())) {
            return std::optional<HeldScope>();
        }
        return std::move(settled).error();
    }
    return std::optional(std::move(scope));
}

// A scope may come and go between any two of our steps: by another caller, or by its last guest's end.
base::Result<HeldScope> hold_scope(int tree, const std::string& path) {
    const auto deadline = Clock::now() + kParentTimeout;
    while (Clock::now() < deadline) {
        auto joined = TRY(join_scope(tree, path));
        if (joined) {
            return std::move(*joined);
        }
        auto made = TRY(make_scope(tree, path, kParentTimeout));
        if (made) {
            return std::move(*made);
        }
        std::this_thread::sleep_for(kPause);
    }
    return base::Error(base::ErrorKind::Busy,
                       "systemd has a unit of that name that holds no process");
}

// Busy while the process that another caller's scope began with has not moved to its leaf yet.
base::Status enable_in_scope(int scope) {
    const auto deadline = Clock::now() + kParentTimeout;
    for (;;) {
        auto status = enable_controllers(scope);
        const bool again = !status && status.error().kind() == base::ErrorKind::Busy;
        if (!again || Clock::now() >= deadline) {
            return status;
        }
        std::this_thread::sleep_for(kPause);
    }
}

// Every directory on the way, controllers on in each.
base::Result<base::Fd> make_path(const Host& host, const std::string& path) {
    auto here = TRY(base::open_dir(AT_FDCWD, host.mount_point));
    std::string done;
    for (std::size_t start = 1; start <= path.size();) {
        const auto end = std::min(path.find('/', start), path.size());
        const auto name = path.substr(start, end - start);
        TRY(base::with_context(enable_controllers(here.get()),
                               "cgroup " + (done.empty() ? "/" : done)));
        const bool made =
            TRY(base::with_context(make_cgroup_dir(here.get(), name), "cgroup " + done));
        here = TRY(base::open_dir(here.get(), name, base::Resolve::NoSymlinks));
        if (made) {
            mark_as_ours(here.get());
        }
        done += "/" + name;
        start = end + 1;
    }
    TRY(base::with_context(enable_controllers(here.get()), "cgroup " + done));
    return here;
}

base::Result<base::Fd> open_ready(const Host& host, int tree, const std::string& path) {
    auto dir = base::open_dir(tree, path.substr(1), base::Resolve::NoSymlinks);
    if (dir && TRY(controllers_ready(dir.value().get(), host.controllers))) {
        return dir;
    }
    return make_path(host, path);
}

// Whether the path still leads to this directory.
base::Result<bool> is_at(int dir, int tree, const std::string& path) {
    struct stat mine = {};
    struct stat there = {};
    if (::fstat(dir, &mine) != 0) {
        return base::errno_error("stat cgroup " + path);
    }
    if (::fstatat(tree, path.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) {
            return false;
        }
        return base::errno_error("stat cgroup " + path);
    }
    return mine.st_ino == there.st_ino;
}

// The directory, made when absent, with a shared lock on it: remove_parent() keeps away from a directory
// that is about to get a guest.
base::Result<base::Fd> hold_path(const Host& host, int tree, const std::string& path) {
    constexpr int kAttempts = 100;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        auto dir = open_ready(host, tree, path);
        if (!dir && is_gone(dir.error())) {
            continue;  // removed as we went down
        }
        base::Fd held = TRY(std::move(dir));
        if (::flock(held.get(), LOCK_SH) != 0) {
            return base::errno_error("lock cgroup " + path);
        }
        if (TRY(is_at(held.get(), tree, path.substr(1)))) {
            return held;
        }
    }
    return base::Error(base::ErrorKind::Busy,
                       "create cgroup " + path + ": somebody else removes it");
}

base::Status check_path(const std::string& path) {
    std::string_view rest = path;
    while (!rest.empty()) {
        rest.remove_prefix(1);  // the slash
        const auto name = rest.substr(0, rest.find('/'));
        if (name.empty() || name == "." || name == "..") {
            return base::usage_error("invalid cgroup path \"" + path + "\"");
        }
        rest.remove_prefix(name.size());
    }
    return base::ok();
}

}  // namespace

std::string parent_path(const Host& host, const ParentConfig& config) {
    if (in_scope(host, config)) {
        return "/" + std::string(kSlice) + "/" + config.name + ".scope";
    }
    auto path = config.configured_path.empty() ? config.name : config.configured_path;
    path.erase(0, path.find_first_not_of('/'));
    while (path.ends_with('/')) {
        path.pop_back();
    }
    return "/" + path;
}

base::Result<Parent> Parent::ensure(const Host& host, const ParentConfig& config) {
    if (host.mode == HostMode::Absent) {
        return absent_error();
    }
    const auto path = parent_path(host, config);
    TRY(check_path(path));
    const auto tree = TRY(base::open_dir(AT_FDCWD, host.mount_point));
    if (in_scope(host, config)) {
        auto scope =
            TRY(base::with_context(hold_scope(tree.get(), path.substr(1)), "cgroup " + path));
        Parent parent(std::move(scope.dir), path);
        parent.holder_ = scope.holder.pid;
        parent.holder_pidfd_ = std::move(scope.holder.pidfd);
        if (!TRY(controllers_ready(parent.dir(), host.controllers))) {
            enable_hugetlb(tree.get());
            TRY(base::with_context(enable_in_scope(parent.dir()), "cgroup " + path));
        }
        return parent;
    }
    return Parent(TRY(hold_path(host, tree.get(), path)), path);
}

Parent::Parent(Parent&& other) noexcept
    : dir_(std::move(other.dir_)),
      path_(std::move(other.path_)),
      holder_(std::exchange(other.holder_, -1)),
      holder_pidfd_(std::move(other.holder_pidfd_)) {}

Parent& Parent::operator=(Parent&& other) noexcept {
    if (this != &other) {
        // The old one's holder ends with the temporary.
        Parent old(std::move(*this));
        dir_ = std::move(other.dir_);
        path_ = std::move(other.path_);
        holder_ = std::exchange(other.holder_, -1);
        holder_pidfd_ = std::move(other.holder_pidfd_);
    }
    return *this;
}

Parent::~Parent() {
    if (holder_ > 0) {
        end_holder({holder_, std::move(holder_pidfd_)});
        // Another caller's holder may be in it; then it is that one's to remove.
        (void)::unlinkat(dir_.get(), kHolderName, AT_REMOVEDIR);
    }
}

base::Status remove_parent(const Host& host, const ParentConfig& config) {
    if (host.mode == HostMode::Absent || in_scope(host, config)) {
        return base::ok();
    }
    const auto path = parent_path(host, config);
    TRY(check_path(path));
    const auto full = host.mount_point + path;
    const auto dir = base::open_dir(AT_FDCWD, full);
    if (!dir) {
        return is_gone(dir.error()) ? base::Status(base::ok()) : dir.error();
    }
    // Somebody who holds it is about to make a guest there. While we do, nobody else removes it.
    if (!is_marked_as_ours(dir.value().get()) ||
        ::flock(dir.value().get(), LOCK_EX | LOCK_NB) != 0 ||
        !TRY(is_at(dir.value().get(), AT_FDCWD, full))) {
        return base::ok();
    }
    const bool removed = ::unlinkat(AT_FDCWD, full.c_str(), AT_REMOVEDIR) == 0;
    if (!removed && errno != ENOENT && errno != EBUSY && errno != ENOTEMPTY) {
        return base::errno_error("remove cgroup " + path);
    }
    return base::ok();
}

}  // namespace warren::cgroups
