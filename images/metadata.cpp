#include "images/metadata.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/excerpt.hpp"
#include "base/fd.hpp"
#include "images/acl.hpp"

namespace warren::images {
namespace {

constexpr std::uint64_t kMaxOwner = 65535;
constexpr std::string_view kCapability = "security.capability";
// What ext4, xfs and btrfs all hold (xfs with bigtime).
constexpr time_t kFirstTime = -(1LL << 31);
constexpr time_t kLastTime = (1LL << 32) - 1;

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> prefixes) {
    return std::any_of(
        prefixes.begin(), prefixes.end(), [&](std::string_view p) { return text.starts_with(p); });
}

bool is_kept(std::string_view name) {
    return name.starts_with("user.") || name == kCapability || name == kAclAccess ||
           name == kAclDefault;
}

std::uint32_t word_at(const std::string& bytes, std::size_t index) {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i > 0; --i) {
        value = (value << 8U) | static_cast<unsigned char>(bytes[index * 4 + i - 1]);
    }
    return value;
}

// vfs_ns_cap_data of linux/capability.h: revision 3 is revision 2 and the owner's root id.
base::Status normalise_capability(std::string& value) {
    constexpr std::size_t kBytes2 = sizeof(vfs_cap_data);
    constexpr std::size_t kBytes3 = sizeof(vfs_ns_cap_data);
    const auto revision = value.size() >= 4 ? word_at(value, 0) & VFS_CAP_REVISION_MASK : 0;
    if (revision == VFS_CAP_REVISION_2 && value.size() == kBytes2) {
        return base::ok();
    }
    if (revision != VFS_CAP_REVISION_3 || value.size() != kBytes3) {
        return base::usage_error("file capabilities are malformed");
    }
    const std::uint32_t root_id = word_at(value, 5);
    if (root_id > kMaxOwner) {
        return base::usage_error("file capabilities name root id " + std::to_string(root_id) +
                                 "; ids go up to 65535");
    }
    if (root_id == 0) {
        value.resize(kBytes2);
        value[3] = static_cast<char>(VFS_CAP_REVISION_2 >> 24U);
    }
    return base::ok();
}

base::Status normalise_access_acl(Metadata& meta) {
    const auto it = std::find_if(meta.xattrs.begin(), meta.xattrs.end(), [](const Xattr& x) {
        return x.name == kAclAccess;
    });
    if (it == meta.xattrs.end()) {
        return base::ok();
    }
    const Acl acl = TRY(Acl::parse(it->value));
    meta.mode = (meta.mode & ~mode_t{0777}) | acl.permission_bits();
    if (acl.is_minimal()) {
        meta.xattrs.erase(it);
    } else {
        it->value = acl.to_xattr();
    }
    return base::ok();
}

base::Status normalise_default_acl(Metadata& meta, bool is_directory) {
    const auto it = std::find_if(meta.xattrs.begin(), meta.xattrs.end(), [](const Xattr& x) {
        return x.name == kAclDefault;
    });
    if (it == meta.xattrs.end()) {
        return base::ok();
    }
    if (!is_directory) {
        return base::usage_error("default access control list on what is no directory");
    }
    it->value = TRY(Acl::parse(it->value)).to_xattr();
    return base::ok();
}

base::Status normalise_xattrs(Metadata& meta, bool is_directory) {
    for (const Xattr& xattr : meta.xattrs) {
        if (starts_with_any(xattr.name, {"trusted.", "user.overlay."})) {
            return base::usage_error("extended attribute \"" + base::excerpt(xattr.name) +
                                     "\" is not allowed in an image");
        }
    }
    std::erase_if(meta.xattrs, [](const Xattr& x) { return !is_kept(x.name); });
    std::sort(meta.xattrs.begin(), meta.xattrs.end(), [](const Xattr& a, const Xattr& b) {
        return a.name < b.name;
    });
    const auto twice = std::adjacent_find(
        meta.xattrs.begin(), meta.xattrs.end(), [](const Xattr& a, const Xattr& b) {
            return a.name == b.name;
        });
    if (twice != meta.xattrs.end()) {
        return base::usage_error("extended attribute \"" + base::excerpt(twice->name) +
                                 "\" is there twice");
    }
    for (Xattr& xattr : meta.xattrs) {
        if (xattr.name == kCapability) {
            TRY(normalise_capability(xattr.value));
        }
    }
    TRY(normalise_access_acl(meta));
    return normalise_default_acl(meta, is_directory);
}

base::Status set_xattrs(const std::string& path, const Metadata& meta, bool follow) {
    for (const Xattr& xattr : meta.xattrs) {
        if (xattr.name == kAclDefault) {
            continue;
        }
        const auto set = follow ? setxattr : lsetxattr;
        if (set(path.c_str(), xattr.name.c_str(), xattr.value.data(), xattr.value.size(), 0) != 0) {
            return base::errno_error("set extended attribute " + base::excerpt(xattr.name));
        }
    }
    return base::ok();
}

// In this order: a change of owner clears setuid bits and capabilities, and an ACL sets group bits.
base::Status apply_open(int fd, const Metadata& meta) {
    if (fchown(fd, static_cast<uid_t>(meta.uid), static_cast<gid_t>(meta.gid)) != 0) {
        return base::errno_error("set owner");
    }
    if (fchmod(fd, meta.mode) != 0) {
        return base::errno_error("set mode");
    }
    if (!meta.xattrs.empty()) {
        TRY(set_xattrs(base::proc_fd_path(fd), meta, true));
    }
    return base::ok();
}

}  // namespace

std::string entry_label(const std::string& path) {
    return "entry \"" + base::excerpt(path) + "\"";
}

base::Status normalise(Metadata& meta, bool is_directory) {
    if (meta.uid > kMaxOwner || meta.gid > kMaxOwner) {
        return base::usage_error("owner " + std::to_string(meta.uid) + ":" +
                                 std::to_string(meta.gid) +
                                 " does not fit a guest; ids go up to 65535");
    }
    meta.mode &= 07777;
    meta.mtime.tv_sec = std::clamp(meta.mtime.tv_sec, kFirstTime, kLastTime);
    if (meta.mtime.tv_nsec < 0 || meta.mtime.tv_nsec >= 1'000'000'000) {
        meta.mtime.tv_nsec = 0;
    }
    return normalise_xattrs(meta, is_directory);
}

base::Status apply_to_directory(int fd, const Metadata& meta) {
    return apply_open(fd, meta);
}

base::Status apply_to_file(int fd, const Metadata& meta) {
    TRY(apply_open(fd, meta));
    const std::array times{timespec{0, UTIME_OMIT}, meta.mtime};
    if (futimens(fd, times.data()) != 0) {
        return base::errno_error("set time");
    }
    return base::ok();
}

base::Status apply_at(int parent, const std::string& name, const Metadata& meta, bool is_symlink) {
    const auto uid = static_cast<uid_t>(meta.uid);
    const auto gid = static_cast<gid_t>(meta.gid);
    if (fchownat(parent, name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW) != 0) {
        return base::errno_error("set owner");
    }
    if (!is_symlink && fchmodat(parent, name.c_str(), meta.mode, 0) != 0) {
        return base::errno_error("set mode");
    }
    if (!meta.xattrs.empty()) {
        TRY(set_xattrs(base::proc_fd_path(parent) + "/" + name, meta, false));
    }
    const std::array times{timespec{0, UTIME_OMIT}, meta.mtime};
    if (utimensat(parent, name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
        return base::errno_error("set time");
    }
    return base::ok();
}

std::string default_acl(const Metadata& meta) {
    for (const Xattr& xattr : meta.xattrs) {
        if (xattr.name == kAclDefault) {
            return xattr.value;
        }
    }
    return {};
}

base::Result<std::vector<Xattr>> read_xattrs(const std::string& path,
                                             bool follow,
                                             std::size_t limit) {
    const auto list = follow ? listxattr : llistxattr;
    const auto get = follow ? getxattr : lgetxattr;
    std::string names(65536, '\0');
    const ssize_t names_size = list(path.c_str(), names.data(), names.size());
    if (names_size < 0) {
        if (errno == ENOTSUP) {
            return std::vector<Xattr>{};
        }
        return base::errno_error("list extended attributes");
    }
    names.resize(static_cast<std::size_t>(names_size));
    std::vector<Xattr> out;
    std::size_t total = 0;
    std::string value(65536, '\0');
    for (std::size_t at = 0; at < names.size(); at += out.back().name.size() + 1) {
        const std::string name = names.c_str() + at;
        const ssize_t size = get(path.c_str(), name.c_str(), value.data(), value.size());
        if (size < 0) {
            return base::errno_error("read extended attribute " + base::excerpt(name));
        }
        total += name.size() + static_cast<std::size_t>(size);
        if (total > limit) {
            return base::usage_error("extended attributes are larger than " +
                                     std::to_string(limit) + " bytes");
        }
        out.push_back({name, value.substr(0, static_cast<std::size_t>(size))});
    }
    return out;
}

Metadata metadata_of(const struct stat& info) {
    Metadata meta;
    meta.mode = info.st_mode & 07777;
    meta.uid = info.st_uid;
    meta.gid = info.st_gid;
    meta.mtime = info.st_mtim;
    return meta;
}

}  // namespace warren::images
