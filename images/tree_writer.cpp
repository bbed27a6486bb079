#include "images/tree_writer.hpp"

#include <array>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/excerpt.hpp"
#include "base/openat2.hpp"
#include "images/acl.hpp"
#include "images/metadata.hpp"
#include "images/tree_path.hpp"

namespace warren::images {
namespace {

constexpr std::uint64_t kBeneath =
    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
// Default ACLs wait in memory until the tree is complete.
constexpr std::uint64_t kMaxLateBytes = 64U << 20U;

std::string join(const std::vector<std::string>& path, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) {
        out += (i == 0 ? "" : "/") + path[i];
    }
    return out;
}

base::Result<base::Fd> open_beneath(int root, const std::string& path, int flags) {
    const char* where = path.empty() ? "." : path.c_str();
    base::Fd fd(base::openat2_retrying(root, where, flags | O_DIRECTORY, 0, kBeneath));
    if (fd) {
        return fd;
    }
    if (errno == ELOOP || errno == ENOTDIR) {
        return base::usage_error("its parent \"" + base::excerpt(path) +
                                 "\" is a link or no directory in this tree");
    }
    return base::errno_error("open directory \"" + base::excerpt(path) + "\"");
}

// What an earlier entry put there goes; a directory stays and is an error.
base::Status remove_old(int parent, const std::string& name) {
    if (unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) {
        return base::ok();
    }
    if (errno == EISDIR) {
        return base::usage_error("a directory of this name is there already");
    }
    return base::errno_error("replace");
}

base::Status check_device(const Entry& entry) {
    // overlayfs takes such a node in a lower layer for a deletion.
    if (entry.type == EntryType::CharDevice && entry.device == makedev(0, 0)) {
        return base::usage_error("character device 0:0 is not allowed in an image");
    }
    return base::ok();
}

mode_t file_type(EntryType type) {
    switch (type) {
        case EntryType::CharDevice:
            return S_IFCHR;
        case EntryType::BlockDevice:
            return S_IFBLK;
        default:
            return S_IFIFO;
    }
}

}  // namespace

base::Status TreeWriter::add(Entry entry, const BodyReader& body) {
    return base::with_context(add_checked(entry, body), entry_label(entry.path));
}

base::Status TreeWriter::count(const Entry& entry) {
    if (++entries_ > limits_.entries) {
        return base::usage_error("more than " + std::to_string(limits_.entries) + " entries");
    }
    if (entry.type != EntryType::File) {
        return base::ok();
    }
    if (entry.size > limits_.file_bytes) {
        return base::usage_error("file is larger than " + std::to_string(limits_.file_bytes) +
                                 " bytes");
    }
    bytes_ += entry.size;
    if (bytes_ > limits_.total_bytes) {
        return base::usage_error("files are larger than " + std::to_string(limits_.total_bytes) +
                                 " bytes together");
    }
    return base::ok();
}

base::Status TreeWriter::add_checked(Entry& entry, const BodyReader& body) {
    TRY(count(entry));
    const auto path = TRY(split_path(entry.path, limits_));
    if (entry.type == EntryType::Socket) {
        return base::ok();
    }
    std::size_t xattr_bytes = 0;
    for (const Xattr& xattr : entry.meta.xattrs) {
        xattr_bytes += xattr.name.size() + xattr.value.size();
    }
    if (xattr_bytes > limits_.xattr_bytes) {
        return base::usage_error("extended attributes are larger than " +
                                 std::to_string(limits_.xattr_bytes) + " bytes");
    }
    TRY(normalise(entry.meta, entry.type == EntryType::Directory));
    if (path.empty()) {
        if (entry.type != EntryType::Directory) {
            return base::usage_error("the root is not a directory");
        }
        return finish_directory_entry(root_, entry.meta);
    }
    if (entry.type == EntryType::Hardlink) {
        return add_hardlink(path, entry.target);
    }
    const Place place{TRY(open_parent(path)), path.back()};
    switch (entry.type) {
        case EntryType::Directory:
            return add_directory(place, entry.meta);
        case EntryType::Symlink:
            return add_symlink(place, entry);
        case EntryType::File:
            TRY(remove_old(place.parent, place.name));
            return sink_.put(place.parent, place.name, entry.meta, entry.size, body);
        default:
            return add_node(place, entry);
    }
}

// Directories are never removed or renamed, so the last one opened is still what its path says.
base::Result<int> TreeWriter::open_parent(const std::vector<std::string>& path) {
    const std::string wanted = join(path, path.size() - 1);
    if (parent_ && wanted == parent_path_) {
        return parent_.get();
    }
    auto opened = open_beneath(root_, wanted, O_PATH);
    if (!opened && opened.error().error_number() == ENOENT) {
        opened = make_parents(path);
    }
    parent_ = TRY(std::move(opened));
    parent_path_ = wanted;
    return parent_.get();
}

// Archives of single paths have no entries for the directories above.
base::Result<base::Fd> TreeWriter::make_parents(const std::vector<std::string>& path) {
    base::Fd dir = TRY(open_beneath(root_, "", O_PATH));
    for (std::size_t i = 0; i + 1 < path.size(); ++i) {
        if (mkdirat(dir.get(), path[i].c_str(), 0755) == 0) {
            // Neither the umask nor a setgid parent has a say.
            if (fchownat(dir.get(), path[i].c_str(), 0, 0, AT_SYMLINK_NOFOLLOW) != 0 ||
                fchmodat(dir.get(), path[i].c_str(), 0755, 0) != 0) {
                return base::errno_error("set owner of \"" + base::excerpt(path[i]) + "\"");
            }
            if (++entries_ > limits_.entries) {
                return base::usage_error("more than " + std::to_string(limits_.entries) +
                                         " entries");
            }
        } else if (errno != EEXIST) {
            return base::errno_error("create directory \"" + base::excerpt(path[i]) + "\"");
        }
        dir = TRY(open_beneath(dir.get(), path[i], O_PATH));
    }
    return dir;
}

base::Status TreeWriter::add_directory(const Place& place, const Metadata& meta) {
    if (mkdirat(place.parent, place.name.c_str(), 0700) != 0) {
        if (errno != EEXIST) {
            return base::errno_error("create");
        }

        struct stat info {};

        if (fstatat(place.parent, place.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
            return base::errno_error("look at");
        }
        if (!S_ISDIR(info.st_mode)) {
            TRY(remove_old(place.parent, place.name));
            if (mkdirat(place.parent, place.name.c_str(), 0700) != 0) {
                return base::errno_error("create");
            }
        }
    }
    const base::Fd dir = TRY(open_beneath(place.parent, place.name, O_RDONLY));
    return finish_directory_entry(dir.get(), meta);
}

base::Status TreeWriter::finish_directory_entry(int dir, const Metadata& meta) {
    TRY(apply_to_directory(dir, meta));

    struct stat info {};

    if (fstat(dir, &info) != 0) {
        return base::errno_error("look at");
    }
    Late late{meta.mtime, default_acl(meta)};
    late_bytes_ += late.default_acl.size();
    if (late_bytes_ > kMaxLateBytes) {
        return base::usage_error("too many default access control lists");
    }
    late_.insert_or_assign(info.st_ino, std::move(late));
    return base::ok();
}

base::Status TreeWriter::add_hardlink(const std::vector<std::string>& path,
                                      const std::string& target) {
    const auto context = "hard link to \"" + base::excerpt(target) + "\"";
    const auto target_path = TRY(base::with_context(split_path(target, limits_), context));
    if (target_path.empty()) {
        return base::usage_error(context + ": is the root");
    }
    const base::Fd target_parent = TRY(base::with_context(
        open_beneath(root_, join(target_path, target_path.size() - 1), O_PATH), context));

    struct stat info {};

    const std::string& target_name = target_path.back();
    if (fstatat(target_parent.get(), target_name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
        const int error_number = errno;
        if (error_number == ENOENT) {
            return base::usage_error(context + ": no such entry before it");
        }
        return base::errno_error(error_number, context);
    }
    if (!S_ISREG(info.st_mode) && !S_ISLNK(info.st_mode)) {
        return base::usage_error(context + ": is neither a file nor a symbolic link");
    }
    if (path == target_path) {
        return base::ok();
    }
    const int parent = TRY(open_parent(path));
    TRY(remove_old(parent, path.back()));
    if (linkat(target_parent.get(), target_name.c_str(), parent, path.back().c_str(), 0) != 0) {
        return base::errno_error(context);
    }
    return base::ok();
}

base::Status TreeWriter::add_symlink(const Place& place, const Entry& entry) {
    TRY(remove_old(place.parent, place.name));
    if (symlinkat(entry.target.c_str(), place.parent, place.name.c_str()) != 0) {
        return base::errno_error("create symbolic link");
    }
    return apply_at(place.parent, place.name, entry.meta, true);
}

base::Status TreeWriter::add_node(const Place& place, const Entry& entry) {
    TRY(check_device(entry));
    TRY(remove_old(place.parent, place.name));
    const dev_t device = entry.type == EntryType::Fifo ? 0 : entry.device;
    if (mknodat(place.parent, place.name.c_str(), file_type(entry.type) | 0600U, device) != 0) {
        return base::errno_error("create node");
    }
    return apply_at(place.parent, place.name, entry.meta, false);
}

base::Result<TreeCounts> TreeWriter::finish() {
    parent_.reset();
    parent_path_.clear();
    const base::Fd root = TRY(open_beneath(root_, "", O_RDONLY));
    TRY(finish_below(root.get(), 0));
    return count_tree(root_);
}

// Deepest first: a directory's time is set when nothing in it changes any more.
base::Status TreeWriter::finish_below(int dir, std::uint32_t depth) {
    if (depth > limits_.depth) {
        return base::fail("tree is deeper than its entries were");
    }
    for (const std::string& name : TRY(base::list_dir(dir, "."))) {
        struct stat info {};

        if (fstatat(dir, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
            return base::errno_error("look at \"" + base::excerpt(name) + "\"");
        }
        if (S_ISDIR(info.st_mode)) {
            const base::Fd child = TRY(open_beneath(dir, name, O_RDONLY));
            TRY(finish_below(child.get(), depth + 1));
        }
    }

    struct stat info {};

    if (fstat(dir, &info) != 0) {
        return base::errno_error("look at directory");
    }
    const auto late = late_.find(info.st_ino);
    if (late == late_.end()) {
        return base::ok();
    }
    const std::string& acl = late->second.default_acl;
    const std::string name(kAclDefault);
    if (!acl.empty() && fsetxattr(dir, name.c_str(), acl.data(), acl.size(), 0) != 0) {
        return base::errno_error("set default access control list");
    }
    const std::array times{timespec{0, UTIME_OMIT}, late->second.mtime};
    if (futimens(dir, times.data()) != 0) {
        return base::errno_error("set time of directory");
    }
    return base::ok();
}

}  // namespace warren::images
