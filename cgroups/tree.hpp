// Walks the directories below a cgroup. A guest makes and removes them as it likes while we look, thousands wide or
// deep: the walk holds one descriptor at a time and treats what has vanished as never seen.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace warren::cgroups {

// ENODEV is what kernfs answers for a directory that was removed after it was opened.
[[nodiscard]] bool is_gone(const base::Error& error);

// mkdir(2), for all to search whatever the umask; false when there is one of that name already.
[[nodiscard]] base::Result<bool> make_cgroup_dir(int parent, const std::string& name);

// Names of the child cgroups; of a removed one: none.
[[nodiscard]] base::Result<std::vector<std::string>> child_cgroups(int dir);

// Calls `visit` with each directory, the given one first.
using Visit = std::function<base::Status(int dir)>;
[[nodiscard]] base::Status walk_cgroups(int top, const Visit& visit);

// rmdir(2) of everything below, children first. False: something is busy (it has processes, or a child came
// anew); what could be removed is.
[[nodiscard]] base::Result<bool> remove_children(int top);

}  // namespace warren::cgroups
