#include "cgroups/tree.hpp"

#include <cerrno>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.hpp"

namespace warren::cgroups {

namespace {

struct DirCloser {
    void operator()(DIR* dir) const { (void)::closedir(dir); }
};

bool is_gone_errno(int error_number) {
    return error_number == ENOENT || error_number == ENODEV;
}

// The way from the top to where the walk stands; the children of each level that are still to see.
struct Level {
    std::string name;
    std::vector<std::string> pending;
};

// Steps down into the next child that still exists; false when there is none.
base::Result<bool> step_down(base::Fd& here, std::vector<Level>& levels) {
    auto& pending = levels.back().pending;
    while (!pending.empty()) {
        auto name = std::move(pending.back());
        pending.pop_back();
        auto child = base::open_dir(here.get(), name, base::Resolve::NoSymlinks);
        if (!child) {
            if (is_gone(child.error())) {
                continue;
            }
            return std::move(child).error();
        }
        here = std::move(child).value();
        levels.push_back({std::move(name), TRY(child_cgroups(here.get()))});
        return true;
    }
    return false;
}

// A cgroup cannot be renamed in v2, so ".." is where the walk came from.
base::Status step_up(base::Fd& here) {
    here = TRY(base::open_dir(here.get(), ".."));
    return base::ok();
}

}  // namespace

bool is_gone(const base::Error& error) {
    return is_gone_errno(error.error_number());
}

base::Result<bool> make_cgroup_dir(int parent, const std::string& name) {
    constexpr mode_t kMode = 0755;
    if (::mkdirat(parent, name.c_str(), kMode) != 0) {
        if (errno == EEXIST) {
            return false;
        }
        return base::errno_error("create cgroup " + name);
    }
    if (::fchmodat(parent, name.c_str(), kMode, 0) != 0) {
        return base::errno_error("change mode of cgroup " + name);
    }
    return true;
}

base::Result<std::vector<std::string>> child_cgroups(int dir) {
    std::vector<std::string> names;
    auto fd = base::open_dir(dir, ".");
    if (!fd) {
        if (is_gone(fd.error())) {
            return names;
        }
        return std::move(fd).error();
    }
    const std::unique_ptr<DIR, DirCloser> stream(::fdopendir(fd.value().get()));
    if (!stream) {
        return base::errno_error("read a cgroup's directory");
    }
    (void)fd.value().release();
    for (;;) {
        errno = 0;
        const struct dirent* entry = ::readdir(stream.get());
        if (entry == nullptr) {
            if (errno != 0 && !is_gone_errno(errno)) {
                return base::errno_error("read a cgroup's directory");
            }
            return names;
        }
        const std::string_view name(entry->d_name);
        if (entry->d_type == DT_DIR && name != "." && name != "..") {
            names.emplace_back(name);
        }
    }
}

base::Status walk_cgroups(int top, const Visit& visit) {
    auto here = TRY(base::open_dir(top, "."));
    std::vector<Level> levels;
    levels.push_back({"", TRY(child_cgroups(here.get()))});
    TRY(visit(here.get()));
    while (!levels.empty()) {
        if (TRY(step_down(here, levels))) {
            TRY(visit(here.get()));
            continue;
        }
        levels.pop_back();
        if (!levels.empty()) {
            TRY(step_up(here));
        }
    }
    return base::ok();
}

base::Result<bool> remove_children(int top) {
    auto here = TRY(base::open_dir(top, "."));
    std::vector<Level> levels;
    levels.push_back({"", TRY(child_cgroups(here.get()))});
    bool all = true;
    while (true) {
        if (TRY(step_down(here, levels))) {
            continue;
        }
        const auto name = std::move(levels.back().name);
        levels.pop_back();
        if (levels.empty()) {
            return all;
        }
        TRY(step_up(here));
        if (::unlinkat(here.get(), name.c_str(), AT_REMOVEDIR) == 0 || is_gone_errno(errno)) {
            continue;
        }
        if (errno != EBUSY && errno != ENOTEMPTY) {
            return base::errno_error("remove cgroup " + name);
        }
        all = false;
    }
}

}  // namespace warren::cgroups
