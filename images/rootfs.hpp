// A guest's root: the image's tree below, the guest's own upper above, as a detached overlay.
// Layers are idmapped: on disk stand the guest's own ids (0..65535), whatever range it runs in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace warren::images {

// The guest's disk: DIR/upper and DIR/work.
[[nodiscard]] base::Status create_disk(int guest_dir);
// Both trees, whatever the guest put there. Absent is success.
[[nodiscard]] base::Status remove_disk(int guest_dir);

struct RootfsRef {
    int image_root = -1;  // O_PATH directory: the lower layer
    int guest_dir = -1;   // holds upper/ and work/
    // The guest's user namespace and the host ids of its root; -1: no private user namespace,
    // nothing is mapped.
    int userns_fd = -1;
    std::uint32_t root_uid = 0;
    std::uint32_t root_gid = 0;
    // overlayfs "volatile": no sync at unmount, and the upper is worthless after a crash. Only for
    // guests that are removed when they stop.
    bool is_volatile = false;
};

// A detached overlay mount (fsopen(2)), nodev nothing shared with the host's mount table.
// Linux 5.19 for idmapped layers. Unsupported names the file system that cannot be idmapped and the
// remedy.
struct MountedRootfs {
    base::Fd mount;
    // Detached mounts that the overlay does not need any more. Closing them waits for the kernel's readers (RCU): the
    // caller does it when nobody else waits.
    std::vector<base::Fd> spent;
};

[[nodiscard]] base::Result<MountedRootfs> mount_rootfs(const RootfsRef& ref);

// Whether layers on this directory's file system can be idmapped and hold an overlay upper
// (doctor).
struct DiskSupport {
    std::string fs_type;
    bool idmapped = false;
    bool overlay_upper = false;
    bool project_quota = false;
    std::string why_not;
};

[[nodiscard]] base::Result<DiskSupport> probe_disk(int dir);

}  // namespace warren::images
