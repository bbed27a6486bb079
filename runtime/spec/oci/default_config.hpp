// What `warren-oci spec` writes: the same in meaning as runc's. Pure.
#pragma once

#include <cstdint>

#include "base/json.hpp"

namespace warren::spec::oci {

struct DefaultConfigOptions {
    // For an ordinary user: a user namespace with one id, no network namespace, no cgroup, /sys bound.
    bool rootless = false;
    std::uint32_t uid = 0;  // rootless: who is root in it
    std::uint32_t gid = 0;
};

[[nodiscard]] base::Json default_config(const DefaultConfigOptions& options);

}  // namespace warren::spec::oci
