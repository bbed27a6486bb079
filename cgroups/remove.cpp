#include <algorithm>
#include <cerrno>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "cgroups/cgroup.hpp"
#include "cgroups/tree.hpp"

namespace warren::cgroups {

namespace {

using Clock = std::chrono::steady_clock;

base::Error busy(const Cgroup& cgroup, const std::string& path) {
    auto text = "remove cgroup " + path + ": still in use";
    const auto pids = cgroup.processes();
    if (pids && !pids.value().empty()) {
        text += " by process " + std::to_string(pids.value().front());
        if (pids.value().size() > 1) {
            text += " and " + std::to_string(pids.value().size() - 1) + " more";
        }
    }
    return {base::ErrorKind::Busy, std::move(text)};
}

}  // namespace

bool remove_unused_cgroup(const Host& host, const std::string& path) {
    const bool is_somewhere =
        host.mode != HostMode::Absent && path.find_first_not_of('/') != std::string::npos;
    return is_somewhere &&
           (::unlinkat(AT_FDCWD, (host.mount_point + "/" + path).c_str(), AT_REMOVEDIR) == 0 ||
            errno == ENOENT);
}

base::Status remove_cgroup(const Host& host,
                           const std::string& path,
                           std::chrono::milliseconds timeout) {
    constexpr std::chrono::milliseconds kPause(10);
    const auto deadline = Clock::now() + timeout;
    // The usual guest has ended and left nothing in its cgroup.
    if (remove_unused_cgroup(host, path)) {
        return base::ok();
    }
    auto opened = Cgroup::open(host, path);
    if (!opened) {
        const bool absent = opened.error().kind() == base::ErrorKind::NotFound;
        return absent ? base::Status(base::ok()) : std::move(opened).error();
    }
    const Cgroup& cgroup = opened.value();
    const auto full = host.mount_point + "/" + path;
    for (;;) {
        if (!TRY(cgroup.populated()) && TRY(remove_children(cgroup.dir())) &&
            (::unlinkat(AT_FDCWD, full.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT)) {
            return base::ok();
        }
        TRY(cgroup.kill());
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0) {
            return busy(cgroup, path);
        }
        if (!TRY(cgroup.populated())) {
            // Empty but busy: someone looks on, or the last one is on its way out of the kernel.
            std::this_thread::sleep_for(std::min(kPause, left));
        } else {
            (void)TRY(cgroup.wait_empty(left));
        }
    }
}

}  // namespace warren::cgroups
