#include "cgroups/subtree.hpp"

#include <algorithm>
#include <cerrno>
#include <string>

#include <sys/xattr.h>

#include "base/fd.hpp"

namespace warren::cgroups {

namespace {

constexpr const char* kAvailable = "cgroup.controllers";
constexpr const char* kEnabled = "cgroup.subtree_control";
constexpr const char* kMark = "trusted.warren";

using Words = std::set<std::string, std::less<>>;

Words words(std::string_view text) {
    Words out;
    while (!text.empty()) {
        const auto end = std::min(text.find_first_of(" \n"), text.size());
        if (end != 0) {
            out.emplace(text.substr(0, end));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

// Whether processes live in the directory itself. The root of the hierarchy, which alone has no type,
// may have them.
base::Result<bool> is_in_the_way(int dir) {
    if (!TRY(base::exists_at(dir, "cgroup.type"))) {
        return false;
    }
    constexpr std::size_t kPidsBytesMax = std::size_t{64} << 20U;
    const auto pids = base::read_file_at(dir, "cgroup.procs", kPidsBytesMax);
    if (!pids && pids.error().error_number() == EOPNOTSUPP) {
        return true;  // threaded already
    }
    return !TRY(pids).empty();
}

base::Error in_the_way_error() {
    return {
        base::ErrorKind::Busy,
        "enable controllers for its children: it holds processes itself, move them into a child "
        "of it first"};
}

// Of the root, which alone has no type, it is false.
base::Result<bool> is_threaded(int dir) {
    const auto type = base::read_file_at(dir, "cgroup.type");
    if (!type && type.error().error_number() == ENOENT) {
        return false;
    }
    return TRY(type).find("threaded") != std::string::npos;
}

base::Error threaded_error() {
    return {base::ErrorKind::Busy,
            "enable controllers for its children: it is threaded, take another cgroup"};
}

}  // namespace

base::Status enable_controller(int dir, std::string_view controller) {
    return base::write_knob_at(dir, kEnabled, "+" + std::string(controller));
}

base::Result<std::set<std::string>> own_controllers(int dir) {
    const auto found = words(TRY(base::read_file_at(dir, kAvailable)));
    return std::set<std::string>(found.begin(), found.end());
}

base::Status hand_on_controllers(int dir, const std::set<std::string>& needed) {
    const auto available = words(TRY(base::read_file_at(dir, kAvailable)));
    auto enabled = words(TRY(base::read_file_at(dir, kEnabled)));
    if (std::includes(enabled.begin(), enabled.end(), available.begin(), available.end()) &&
        std::includes(enabled.begin(), enabled.end(), needed.begin(), needed.end())) {
        return base::ok();
    }
    const bool in_the_way = TRY(is_in_the_way(dir));
    base::Error last;
    for (const auto& controller : available) {
        if (in_the_way || enabled.count(controller) != 0) {
            continue;
        }
        auto status = enable_controller(dir, controller);
        if (status) {
            enabled.insert(controller);
        } else if (needed.count(controller) != 0) {
            last = std::move(status).error();
        }
    }
    for (const auto& controller : needed) {
        if (enabled.count(controller) != 0) {
            continue;
        }
        if (available.count(controller) == 0) {
            return base::Error(base::ErrorKind::Unsupported,
                               "it has no " + controller + " controller to hand on");
        }
        if (TRY(is_threaded(dir))) {
            return threaded_error();
        }
        if (in_the_way || last.error_number() == EBUSY) {
            return in_the_way_error();
        }
        return last;
    }
    return base::ok();
}

base::Status bound_growth(int dir) {
    TRY(base::write_knob_at(dir, "cgroup.max.descendants", std::to_string(kDescendantsMax)));
    return base::write_knob_at(dir, "cgroup.max.depth", std::to_string(kDepthMax));
}

base::Status enable_controllers(int dir) {
    const auto available = words(TRY(base::read_file_at(dir, kAvailable)));
    const auto enabled = words(TRY(base::read_file_at(dir, kEnabled)));
    if (std::includes(enabled.begin(), enabled.end(), available.begin(), available.end())) {
        return base::ok();
    }
    // Asked first, and not left to the kernel: cpu and pids it would turn on beside processes, and with
    // that make the directory the root of a threaded tree, in which no guest can live.
    if (TRY(is_in_the_way(dir))) {
        return in_the_way_error();
    }
    for (const auto& controller : available) {
        if (enabled.count(controller) != 0) {
            continue;
        }
        const auto status = enable_controller(dir, controller);
        if (!status && status.error().error_number() == EBUSY) {
            return in_the_way_error();
        }
        // A controller that cannot be had now (cpu beside realtime processes, say) is missed only by a
        // limit that needs it, and that limit's knob will say so.
    }
    return base::ok();
}

base::Result<bool> controllers_ready(int dir, const std::set<Controller>& wanted) {
    const auto enabled = words(TRY(base::read_file_at(dir, kEnabled)));
    return std::all_of(wanted.begin(), wanted.end(), [&enabled](Controller controller) {
        return enabled.count(name(controller)) != 0;
    });
}

void mark_as_ours(int dir) {
    // Where it cannot be set, the directory stays when the last guest goes.
    (void)::fsetxattr(dir, kMark, "1", 1, 0);
}

bool is_marked_as_ours(int dir) {
    char value = 0;
    return ::fgetxattr(dir, kMark, &value, sizeof(value)) == 1 && value == '1';
}

}  // namespace warren::cgroups
