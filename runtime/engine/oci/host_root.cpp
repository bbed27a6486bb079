#include "runtime/engine/oci/host_root.hpp"

#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/fd.hpp"
#include "base/units.hpp"

namespace warren::engine::oci {

namespace {

constexpr const char* kFile = "host-root";

// The number of the mount that a path lies in.
base::Result<std::uint64_t> mount_id(const std::string& path) {
    struct statx status {};

    if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &status) != 0) {
        return base::errno_error("look at " + path);
    }
    return status.stx_mnt_id;
}

}  // namespace

base::Status remember_host_root(int dir, const std::string& rootfs) {
    const auto id = TRY(mount_id(rootfs));
    return base::replace_file_at(dir, kFile, std::to_string(id), 0600, base::Durability::Volatile);
}

base::Status unmount_host_root(int dir, const std::string& rootfs) {
    const auto text = base::read_file_at(dir, kFile);
    if (!text) {
        return base::ok();
    }
    const auto before = TRY(base::parse_uint(text.value(), 0, UINT64_MAX));
    const auto now = mount_id(rootfs);
    if (!now || now.value() == before) {
        return base::ok();
    }
    if (::umount2(rootfs.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL &&
        errno != ENOENT) {
        return base::errno_error("unmount " + rootfs);
    }
    return base::ok();
}

}  // namespace warren::engine::oci
