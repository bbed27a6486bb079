// What a config's planning needs to know of the host, and descriptors that must be open by then.
#pragma once

#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "runtime/engine/oci/context.hpp"
#include "runtime/engine/oci/plan.hpp"
#include "runtime/spec/oci/config.hpp"

namespace warren::engine::oci {

// Owns what the lookups borrow.
struct LookedUp {
    Lookups lookups;
    std::vector<base::Fd> namespaces;
};

// `bundle` is absolute.
[[nodiscard]] base::Result<LookedUp> look_up(const spec::oci::Config& config,
                                             const std::string& bundle);

// All of Site but what the request says.
[[nodiscard]] base::Result<Site> find_site(const Context& context, const std::string& id);
// Of that only what plan_process() asks for.
[[nodiscard]] Site find_process_site();

// The home of `uid` by the passwd below `root`, a directory: hostile.
[[nodiscard]] std::string home_of(int root, std::uint32_t uid);

// LISTEN_FDS of our environment; 0 when it is not for this process.
[[nodiscard]] std::uint32_t listen_fds();
// Descriptors 3.. that were handed to us: none of them may be missing, or one of our own would stand in.
[[nodiscard]] base::Status check_preserved(std::uint32_t count);

}  // namespace warren::engine::oci
