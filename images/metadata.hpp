// Owners, modes, times and extended attributes: checked, brought to one form, written to files and
// read back.
#pragma once

#include <string>

#include <sys/stat.h>

#include "base/result.hpp"
#include "images/entry.hpp"

namespace warren::images {

// Checks what came from outside, and leaves the one form in which equal things are equal bytes,
// which is the form the kernel gives back. Ids above 65535 do not fit a guest and are refused. Of
// extended attributes:
//   kept      user.*, security.capability, POSIX ACLs
//   refused   trusted.* and user.overlay.*: overlayfs would obey them
//   left out  the rest (security.selinux, btrfs.compression...): labels of the host they come from
// A time that file systems cannot hold is moved to the nearest one they can.
[[nodiscard]] base::Status normalise(Metadata& meta, bool is_directory);

// Everything but a directory's default ACL and times, which would rub off on, or be changed by,
// what is created in it.
[[nodiscard]] base::Status apply_to_directory(int fd, const Metadata& meta);
[[nodiscard]] base::Status apply_to_file(int fd, const Metadata& meta);
// A node, fifo or symlink, which are not opened. `mode` is not for symlinks.
[[nodiscard]] base::Status apply_at(int parent,
                                    const std::string& name,
                                    const Metadata& meta,
                                    bool is_symlink);

// The value of a directory's default ACL; empty when it has none.
[[nodiscard]] std::string default_acl(const Metadata& meta);

// Of a path that lgetxattr(2) takes: "/proc/self/fd/N" of an open file, or ".../NAME" below a
// directory. Not normalised. At most `limit` bytes of names and values.
[[nodiscard]] base::Result<std::vector<Xattr>> read_xattrs(const std::string& path,
                                                           bool follow,
                                                           std::size_t limit);

[[nodiscard]] Metadata metadata_of(const struct stat& info);

}  // namespace warren::images
