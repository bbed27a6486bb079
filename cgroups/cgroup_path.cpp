#include "cgroups/cgroup_path.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "cgroups/events.hpp"
#include "cgroups/members.hpp"
#include "cgroups/subtree.hpp"
#include "cgroups/tree.hpp"

namespace warren::cgroups {

namespace {

std::string last_name(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

// As openat(2) below a directory wants it.
std::string relative(const std::string& path) {
    return path == "/" ? "." : path.substr(1);
}

base::Result<base::Fd> open_mount(const Host& host) {
    return base::open_dir(AT_FDCWD, host.mount_point);
}

// The "0::/path" line of cgroups(7).
base::Result<std::string> read_own_line(const std::string& file) {
    constexpr std::string_view kPrefix = "0::";
    const auto text = TRY(base::read_file_at(AT_FDCWD, file));
    for (std::size_t start = 0; start < text.size();) {
        const auto end = std::min(text.find('\n', start), text.size());
        const auto line = std::string_view(text).substr(start, end - start);
        if (line.starts_with(kPrefix)) {
            return std::string(line.substr(kPrefix.size()));
        }
        start = end + 1;
    }
    return base::fail("find the cgroup v2 line in " + file);
}

base::Error busy(std::string what) {
    return {base::ErrorKind::Busy, std::move(what)};
}

// An empty cgroup in which processes can live at once.
base::Result<bool> is_plain(int dir) {
    return TRY(base::read_file_at(dir, "cgroup.subtree_control")).find_first_not_of('\n') ==
               std::string::npos &&
           TRY(child_cgroups(dir)).empty();
}

base::Status check_usable(int dir) {
    if (TRY(read_events(dir)).populated) {
        const auto count = TRY(read_members(dir)).size();
        return busy("it holds processes already (" + std::to_string(count) + ")");
    }
    if (TRY(base::read_file_at(dir, "cgroup.freeze")) != "0\n") {
        return busy("it is frozen");
    }
    return base::ok();
}

// A child of a threaded cgroup, or of one with processes and threaded controllers, cannot hold a process of its own.
base::Status check_type(int dir) {
    auto type = TRY(base::read_file_at(dir, "cgroup.type"));
    if (type == "domain\n") {
        return base::ok();
    }
    type.erase(type.find_last_not_of('\n') + 1);
    return busy("it is " + type +
                ": a cgroup above it is threaded or has processes beside children");
}

base::Result<ContainerDir> make_leaf(int parent, const std::string& name) {
    ContainerDir out;
    out.made = TRY(make_cgroup_dir(parent, name));
    out.dir = TRY(base::open_dir(parent, name, base::Resolve::NoSymlinks));
    if (!out.made) {
        TRY(check_usable(out.dir.get()));
        if (!TRY(is_plain(out.dir.get()))) {
            const bool removed = TRY(remove_children(out.dir.get())) &&
                                 ::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0;
            if (!removed || !TRY(make_cgroup_dir(parent, name))) {
                return busy("it is in use");
            }
            out.made = true;
            out.dir = TRY(base::open_dir(parent, name, base::Resolve::NoSymlinks));
        }
    }
    auto usable = check_type(out.dir.get());
    if (!usable) {
        if (out.made) {
            (void)::unlinkat(parent, name.c_str(), AT_REMOVEDIR);
        }
        return std::move(usable).error();
    }
    return out;
}

// Opens the parent of `path`, made when absent, controllers on in each directory on the way.
base::Result<base::Fd> make_parent(const Host& host,
                                   const std::string& path,
                                   const std::set<std::string>& needed) {
    auto here = TRY(open_mount(host));
    std::string done;
    for (std::size_t start = 1;;) {
        TRY(base::with_context(hand_on_controllers(here.get(), needed),
                               "cgroup " + (done.empty() ? "/" : done)));
        const auto end = path.find('/', start);
        if (end == std::string::npos) {
            return here;
        }
        const auto name = path.substr(start, end - start);
        done += "/" + name;
        const bool made =
            TRY(base::with_context(make_cgroup_dir(here.get(), name), "cgroup " + done));
        here = TRY(base::open_dir(here.get(), name, base::Resolve::NoSymlinks));
        if (made) {
            mark_as_ours(here.get());
        }
        start = end + 1;
    }
}

base::Result<base::Fd> open_parent(const Host& host,
                                   const std::string& path,
                                   const std::set<std::string>& needed) {
    const auto tree = TRY(open_mount(host));
    auto dir = base::open_dir(tree.get(), relative(parent_of(path)), base::Resolve::NoSymlinks);
    // The usual parent has been prepared by an earlier container, or is nobody's concern.
    if (dir) {
        const auto own = own_controllers(dir.value().get());
        const bool complete =
            own &&
            std::includes(own.value().begin(), own.value().end(), needed.begin(), needed.end());
        if (complete && own.value() == TRY(own_controllers(tree.get())) &&
            hand_on_controllers(dir.value().get(), needed)) {
            return dir;
        }
    }
    return make_parent(host, path, needed);
}

}  // namespace

base::Result<std::string> normalise_cgroup_path(const std::string& text) {
    const bool control = std::any_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
    });
    if (control) {
        return base::usage_error("cgroup path \"" + base::printable(text) +
                                 "\" has a control character");
    }
    std::string out;
    for (std::size_t start = 0; start <= text.size();) {
        const auto end = std::min(text.find('/', start), text.size());
        const auto name = text.substr(start, end - start);
        start = end + 1;
        if (name == "..") {
            return base::usage_error("cgroup path \"" + text + "\" has \"..\"");
        }
        if (!name.empty() && name != ".") {
            out += "/" + name;
        }
    }
    if (out.empty()) {
        return base::usage_error("cgroup path \"" + text + "\" is the root, name a cgroup");
    }
    return out;
}

std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

base::Result<std::string> process_cgroup(const Host& host, pid_t pid) {
    auto own = TRY(read_own_line("/proc/self/cgroup"));
    auto line = read_own_line("/proc/" + std::to_string(pid) + "/cgroup");
    if (!line) {
        const int error_number = line.error().error_number();
        if (error_number == ENOENT || error_number == ESRCH) {
            return base::Error(base::ErrorKind::NotFound,
                               error_number,
                               "find the cgroup of process " + std::to_string(pid));
        }
        return std::move(line).error();
    }
    // What is mounted may be a piece of the hierarchy: both lines begin with it then.
    std::string root;
    if (host.own_path != "/" && own.ends_with(host.own_path)) {
        root = own.substr(0, own.size() - host.own_path.size());
    }
    auto path = std::move(line).value();
    if (!root.empty() && path.starts_with(root)) {
        path.erase(0, root.size());
    }
    return path.empty() ? "/" : path;
}

base::Result<ContainerDir> make_container_dir(const Host& host,
                                              const std::string& path,
                                              const std::set<std::string>& needed) {
    // Other containers' ends remove the directories on the way when they are empty.
    constexpr int kAttempts = 64;
    for (int attempt = 1;; ++attempt) {
        auto parent = open_parent(host, path, needed);
        if (parent) {
            auto made = make_leaf(parent.value().get(), last_name(path));
            if (made) {
                return made;
            }
            if (!is_gone(made.error()) || attempt == kAttempts) {
                parent.value().reset();
                remove_made_parents(host, path);
                return std::move(made).error().with_context("cgroup " + path);
            }
            continue;
        }
        if (!is_gone(parent.error()) || attempt == kAttempts) {
            remove_made_parents(host, path);
            return std::move(parent).error();
        }
    }
}

void remove_made_parents(const Host& host, const std::string& path) {
    const auto tree = open_mount(host);
    if (!tree) {
        return;
    }
    for (auto above = parent_of(path); above != "/"; above = parent_of(above)) {
        const auto dir =
            base::open_dir(tree.value().get(), relative(above), base::Resolve::NoSymlinks);
        if (!dir) {
            if (is_gone(dir.error())) {
                continue;
            }
            return;
        }
        if (!is_marked_as_ours(dir.value().get()) ||
            ::unlinkat(tree.value().get(), relative(above).c_str(), AT_REMOVEDIR) != 0) {
            return;
        }
    }
}

bool can_move_to(const Host& host, const std::string& path) {
    std::string common = parent_of(path);
    const auto own = host.own_path == "/" ? "/" : host.own_path + "/";
    while (common != "/" && !own.starts_with(common + "/")) {
        common = parent_of(common);
    }
    const auto file = host.mount_point + (common == "/" ? "" : common) + "/cgroup.procs";
    return ::faccessat(AT_FDCWD, file.c_str(), W_OK, AT_EACCESS) == 0;
}

}  // namespace warren::cgroups
