// Where compiled filters are kept: compiling the profile of an engine takes longer than the rest of a create.
#pragma once

#include "base/fd.hpp"
#include "runtime/engine/oci/context.hpp"

namespace warren::engine::oci {

// /var/cache/warren-oci, made when absent (0700). Invalid where there is none: for an ordinary user, whose processes
// could write it, and where /var cannot be written. Filters are then compiled each time.
[[nodiscard]] base::Fd open_seccomp_cache(const Context& context);

}  // namespace warren::engine::oci
