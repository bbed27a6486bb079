#include "cgroups/cgroup.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/scope_exit.hpp"
#include "cgroups/events.hpp"
#include "cgroups/flat_file.hpp"
#include "cgroups/knobs.hpp"
#include "cgroups/subtree.hpp"
#include "cgroups/tree.hpp"

namespace warren::cgroups {

namespace {

constexpr const char* kExecName = "warren.exec";

base::Status check_name(const std::string& name) {
    const bool bad = name.empty() || name == "." || name == ".." ||
                     name.find_first_of(std::string_view("/\n\0", 3)) != std::string::npos;
    if (bad) {
        return base::usage_error("invalid cgroup name \"" + name + "\"");
    }
    return base::ok();
}

// Only what cgroup-v2 calls delegation: the limits stay their owner's.
base::Status give_away(int dir, uid_t uid, gid_t gid) {
    static constexpr std::array kFiles = {
        "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"};
    for (const char* file : kFiles) {
        if (::fchownat(dir, file, uid, gid, AT_SYMLINK_NOFOLLOW) != 0) {
            return base::errno_error(std::string("change owner of ") + file);
        }
    }
    // Last: who owns the directory can remove it.
    if (::fchown(dir, uid, gid) != 0) {
        return base::errno_error("change owner of cgroup");
    }
    return base::ok();
}

// A guest that has made all it may must not keep its host from joining it: one more, for us.
base::Status make_room(int dir) {
    std::uint64_t descendants = kDescendantsMax;
    for_each_pair(TRY(base::read_file_at(dir, "cgroup.stat")),
                  [&descendants](std::string_view key, std::uint64_t value) {
                      if (key == "nr_descendants") {
                          descendants = value;
                      }
                  });
    return base::write_knob_at(dir, "cgroup.max.descendants", std::to_string(descendants + 1));
}

base::Error not_found(const std::string& path) {
    return {base::ErrorKind::NotFound, ENOENT, "open cgroup " + path};
}

}  // namespace

base::Result<Cgroup> Cgroup::create(int parent_dir, const std::string& name) {
    TRY(check_name(name));
    if (!TRY(make_cgroup_dir(parent_dir, name))) {
        // Made anew rather than reused: it may carry limits, programs and owners of its last use.
        const auto old = TRY(base::open_dir(parent_dir, name, base::Resolve::NoSymlinks));
        const bool removed = TRY(remove_children(old.get())) &&
                             ::unlinkat(parent_dir, name.c_str(), AT_REMOVEDIR) == 0;
        if (!removed || !TRY(make_cgroup_dir(parent_dir, name))) {
            return base::Error(base::ErrorKind::Busy, "create cgroup " + name + ": it is in use");
        }
    }
    Cgroup cgroup(TRY(base::open_dir(parent_dir, name, base::Resolve::NoSymlinks)), name);
    auto bounded = bound_growth(cgroup.dir());
    if (!bounded) {
        (void)::unlinkat(parent_dir, name.c_str(), AT_REMOVEDIR);
        return std::move(bounded).error().with_context("create cgroup " + name);
    }
    return cgroup;
}

base::Result<Cgroup> Cgroup::open(const Host& host, const std::string& path) {
    const auto below = path.find_first_not_of('/');
    if (host.mode == HostMode::Absent || below == std::string::npos) {
        return not_found(path);
    }
    const auto tree = TRY(base::open_dir(AT_FDCWD, host.mount_point));
    auto dir = base::open_dir(tree.get(), path.substr(below), base::Resolve::NoSymlinks);
    if (!dir) {
        if (is_gone(dir.error())) {
            return not_found(path);
        }
        return std::move(dir).error();
    }
    return Cgroup(std::move(dir).value(), path);
}

base::Status Cgroup::apply(const Limits& limits) const {
    const auto write = [&]() -> base::Status {
        MemoryCeilings now;
        if (limits.memory_max || limits.swap_max) {
            now = TRY(read_memory_ceilings(dir()));
        }
        return write_knobs(dir(), plan_knobs(limits, now));
    };
    return base::with_context(write(), "limit cgroup " + path_);
}

base::Status Cgroup::delegate(uid_t uid, gid_t gid) const {
    return base::with_context(give_away(dir(), uid, gid), "delegate cgroup " + path_);
}

base::Result<base::Fd> Cgroup::exec_dir(uid_t uid, gid_t gid) const {
    // The guest may remove the directory between our two calls, or take the room; not for ever.
    constexpr int kAttempts = 16;
    const auto make = [&]() -> base::Result<base::Fd> {
        const bool made = TRY(make_cgroup_dir(dir(), kExecName));
        auto exec = TRY(base::open_dir(dir(), kExecName, base::Resolve::NoSymlinks));
        if (made) {
            TRY(give_away(exec.get(), uid, gid));
        }
        return exec;
    };
    bool raised = false;
    const base::ScopeExit lower([&] {
        if (raised) {
            (void)bound_growth(dir());
        }
    });
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        auto exec = make();
        if (exec) {
            return exec;
        }
        const bool full = exec.error().error_number() == EAGAIN;
        if (!full && !is_gone(exec.error())) {
            return std::move(exec).error().with_context("cgroup " + path_);
        }
        if (full) {
            raised = true;
            TRY(base::with_context(make_room(dir()), "cgroup " + path_));
        }
    }
    return base::Error(base::ErrorKind::Busy,
                       "create cgroup " + path_ + "/" + kExecName + ": the guest keeps us from it");
}

base::Result<bool> Cgroup::populated() const {
    return TRY(read_events(dir())).populated;
}

base::Result<bool> Cgroup::frozen() const {
    // Of a cgroup whose processes were killed while frozen, the kernel may say so for ever.
    const auto events = TRY(read_events(dir()));
    return events.frozen && events.populated;
}

base::Result<bool> Cgroup::wait_empty(std::chrono::milliseconds timeout) const {
    return wait_events(
        dir(), [](const Events& events) { return !events.populated; }, timeout);
}

}  // namespace warren::cgroups
