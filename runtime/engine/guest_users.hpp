// Users as a running guest knows them: its own /etc/passwd and /etc/group, read inside its root. The files are the
// guest's and hostile: bounded, never blocking, links stay inside.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/pidref.hpp"
#include "base/result.hpp"

namespace warren::engine {

struct GuestUser {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::vector<std::uint32_t> groups;
    std::string home = "/";
    std::string shell = "/bin/sh";
};

// "USER[:GROUP]", each a name or a number below 65536; empty: root. `init` is the guest's first process.
[[nodiscard]] base::Result<GuestUser> find_user(const base::PidRef& init, const std::string& text);
// uid -> name; empty when the guest has no readable passwd.
[[nodiscard]] std::map<std::uint32_t, std::string> user_names(const base::PidRef& init);
// Whether `path` is a directory inside the guest's root.
[[nodiscard]] bool is_guest_dir(const base::PidRef& init, const std::string& path);

// Pure parts, for tests.
[[nodiscard]] base::Result<GuestUser> resolve_user(const std::string& text,
                                                   const std::string& passwd,
                                                   const std::string& group);

}  // namespace warren::engine
