#include "cgroups/kill.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>

#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "base/pidref.hpp"
#include "cgroups/cgroup.hpp"
#include "cgroups/events.hpp"
#include "cgroups/members.hpp"
#include "cgroups/tree.hpp"

namespace warren::cgroups {

namespace {

using Pids = std::vector<pid_t>;

// Opens a pidfd of each, and only then asks who is still a member: a pid that went to a stranger in
// between is not in the second list.
base::Status kill_batch(int dir, Pids::const_iterator begin, Pids::const_iterator end) {
    std::vector<base::PidRef> open;
    for (auto pid = begin; pid != end; ++pid) {
        base::Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
        if (pidfd.valid()) {
            open.emplace_back(*pid, std::move(pidfd));
        } else if (errno != ESRCH) {
            return base::errno_error("open a pidfd");
        }
    }
    auto members = TRY(read_members(dir));
    std::sort(members.begin(), members.end());
    for (const base::PidRef& process : open) {
        if (std::binary_search(members.begin(), members.end(), process.pid())) {
            TRY(process.signal(SIGKILL));
        }
    }
    return base::ok();
}

}  // namespace

base::Result<bool> kill_at_once(int dir) {
    auto killed = base::write_knob_at(dir, "cgroup.kill", "1");
    if (killed) {
        return true;
    }
    if (killed.error().error_number() == ENODEV) {
        return true;
    }
    if (killed.error().error_number() != ENOENT) {
        return std::move(killed).error();
    }
    // A removed directory has no files, but neither does it have this one.
    return !TRY(base::exists_at(dir, "cgroup.procs"));
}

base::Status kill_each(int dir) {
    constexpr std::chrono::seconds kFreezeTime(2);
    constexpr std::ptrdiff_t kBatch = 256;  // descriptors held at once
    auto frozen = base::write_knob_at(dir, "cgroup.freeze", "1");
    if (!frozen && !is_gone(frozen.error())) {
        return frozen;
    }
    // Those that cannot be stopped now cannot fork either until they are back in user space.
    (void)TRY(wait_events(
        dir, [](const Events& events) { return events.frozen; }, kFreezeTime));
    const auto pids = TRY(read_members(dir));
    for (auto begin = pids.begin(); begin != pids.end();) {
        const auto end = begin + std::min(kBatch, pids.end() - begin);
        TRY(kill_batch(dir, begin, end));
        begin = end;
    }
    return base::ok();
}

base::Status Cgroup::kill() const {
    const auto work = [&]() -> base::Status {
        if (!TRY(kill_at_once(dir()))) {
            TRY(kill_each(dir()));
        }
        // The dying leave a frozen cgroup by themselves, but whoever looks next must not find it frozen.
        auto thawed = base::write_knob_at(dir(), "cgroup.freeze", "0");
        if (!thawed && !is_gone(thawed.error())) {
            return thawed;
        }
        return base::ok();
    };
    return base::with_context(work(), "kill cgroup " + path_);
}

}  // namespace warren::cgroups
