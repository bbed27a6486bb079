// Detached mounts the parent prepares for a guest: nothing here appears in the host's mount table.
// fsopen(2), open_tree(2), mount_setattr(2): Linux 5.2 and 5.12.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "isolation/types.hpp"

namespace warren::isolation {

// A small tmpfs with the allowed nodes, the usual links (fd, stdin, stdout, stderr, ptmx) and the
// mount points pts, shm, mqueue and console. Nodes belong to the guest's root (`owner_uid`,
// `owner_gid` are host ids). Nodes work although the guest may make none: the file system belongs
// to the host.
[[nodiscard]] base::Result<base::Fd> make_dev(const std::vector<DeviceRule>& devices,
                                              std::uint32_t owner_uid,
                                              std::uint32_t owner_gid);

// A detached copy of a host directory or file, for MountSpec::Kind::Bind. With `userns_fd` >= 0 the
// mount is idmapped: the ids on disk are the guest's own. Unsupported when the file system cannot,
// naming it.
[[nodiscard]] base::Result<base::Fd> open_bind_source(const std::string& path,
                                                      bool read_only,
                                                      bool recursive,
                                                      int userns_fd);

}  // namespace warren::isolation
