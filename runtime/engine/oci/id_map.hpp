// The maps of a container's user namespace: written by us where we may, else by newuidmap(1) and newgidmap(1), which
// look into /etc/subuid and /etc/subgid.
#pragma once

#include "base/result.hpp"
#include "isolation/container_launcher.hpp"
#include "isolation/types.hpp"

namespace warren::engine::oci {

enum class MapWriter : std::uint8_t {
    Root,     // any map
    Oneself,  // one's own id alone; setgroups(2) is denied then
    Helpers,
};

[[nodiscard]] MapWriter map_writer(const isolation::IdMap& map);

// Before the release. Errors have the place /linux/uidMappings or /linux/gidMappings.
[[nodiscard]] base::Status write_id_maps(isolation::PendingContainer& pending,
                                         const isolation::IdMap& map);

}  // namespace warren::engine::oci
