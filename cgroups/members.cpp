#include "cgroups/members.hpp"

#include <algorithm>
#include <cerrno>

#include "base/fd.hpp"
#include "base/units.hpp"
#include "cgroups/cgroup.hpp"
#include "cgroups/tree.hpp"

namespace warren::cgroups {

namespace {

constexpr std::size_t kBytesMax = std::size_t{64} << 20U;  // every pid there can be

// Calls `each` with the pids in one file of every cgroup of the tree.
template <typename F>
base::Status for_each_pid(int top, const char* file, F each) {
    return walk_cgroups(top, [&](int dir) -> base::Status {
        const auto text = base::read_file_at(dir, file, kBytesMax);
        // EOPNOTSUPP: a threaded cgroup, whose processes are listed at the root of the threaded tree.
        if (!text && (is_gone(text.error()) || text.error().error_number() == EOPNOTSUPP)) {
            return base::ok();
        }
        const std::string pids = TRY(text);
        std::string_view rest = pids;
        while (!rest.empty()) {
            const auto end = std::min(rest.find('\n'), rest.size());
            each(TRY(base::parse_uint(rest.substr(0, end), 0, INT32_MAX)));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        return base::ok();
    });
}

}  // namespace

base::Result<std::vector<pid_t>> read_members(int dir) {
    std::vector<pid_t> pids;
    TRY(for_each_pid(dir, "cgroup.procs", [&pids](std::uint64_t pid) {
        if (pid != 0) {
            pids.push_back(static_cast<pid_t>(pid));
        }
    }));
    return pids;
}

base::Result<std::uint64_t> count_threads(int dir) {
    std::uint64_t count = 0;
    TRY(for_each_pid(dir, "cgroup.threads", [&count](std::uint64_t) { ++count; }));
    return count;
}

base::Result<std::vector<pid_t>> Cgroup::processes() const {
    return base::with_context(read_members(dir()), "cgroup " + path_);
}

}  // namespace warren::cgroups
