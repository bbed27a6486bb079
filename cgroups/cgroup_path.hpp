// The way from the mount point of the v2 tree to a container's cgroup.
#pragma once

#include <set>
#include <string>

#include <sys/types.h>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "cgroups/host.hpp"

namespace warren::cgroups {

// "/a/b" of "a//b/./": no "..", no control characters, at least one name. Usage errors.
[[nodiscard]] base::Result<std::string> normalise_cgroup_path(const std::string& text);

// "/a" of "/a/b", "/" of "/a".
[[nodiscard]] std::string parent_of(const std::string& path);

// Where a process is, below the mount point: "/" or "/a/b". NotFound when it is gone.
[[nodiscard]] base::Result<std::string> process_cgroup(const Host& host, pid_t pid);

struct ContainerDir {
    base::Fd dir;
    bool made = false;  // not there before
};

// The directory, with `needed` controllers, those on the way made when absent. An existing one must be empty; one that
// has handed controllers on, or has children, is made anew. Undone on failure. The error names the directory.
[[nodiscard]] base::Result<ContainerDir> make_container_dir(const Host& host,
                                                            const std::string& path,
                                                            const std::set<std::string>& needed);

// Removes the directories above `path` that make_container_dir() made and that are empty.
void remove_made_parents(const Host& host, const std::string& path);

// Whether the kernel lets us move a process of ours from our own cgroup there: it asks for write access to
// cgroup.procs of the nearest cgroup above both.
[[nodiscard]] bool can_move_to(const Host& host, const std::string& path);

}  // namespace warren::cgroups
