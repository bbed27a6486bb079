// One mount asked for by itself, where the kernel can: statmount(2), Linux 6.8.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace warren::cgroups {

struct MountFacts {
    std::uint64_t magic = 0;  // of the file system, as in statfs(2)
    std::string root;         // what of it is mounted, as proc_pid_mountinfo(5) shows it
};

// The mount whose root the path leads to. None when it leads elsewhere, and when this kernel cannot tell.
[[nodiscard]] std::optional<MountFacts> query_mount(const std::string& path);

}  // namespace warren::cgroups
