// Named capability sets, by libcap. capabilities(7).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "isolation/types.hpp"

namespace warren::isolation {

enum class GuestKind : std::uint8_t {
    Machine,  // runs an init of its own
    Command,  // runs one command
};

// "CAP_NET_ADMIN", "net_admin", any case -> its bit. Unknown names are usage errors that name the
// text.
[[nodiscard]] base::Result<std::uint64_t> parse_capability(std::string_view name);
[[nodiscard]] std::vector<std::string> capability_names(std::uint64_t mask);
// Every capability this kernel knows (cap_last_cap).
[[nodiscard]] std::uint64_t all_capabilities();

// The default bounding set. With `host_users` (no user namespace) the set shrinks to what is safe
// against the host.
[[nodiscard]] std::uint64_t default_bounding(GuestKind kind, bool host_users);

// What a process of the guest starts with: a root process gets the bounding set as permitted and
// effective, another gets none; nothing is inheritable or ambient.
[[nodiscard]] CapSets process_capabilities(std::uint64_t bounding, bool is_root);

}  // namespace warren::isolation
