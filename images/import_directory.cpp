#include <unordered_map>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/openat2.hpp"
#include "images/file_body.hpp"
#include "images/image.hpp"
#include "images/import_session.hpp"
#include "images/metadata.hpp"

namespace warren::images {
namespace {

constexpr std::uint64_t kStayHere =
    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;

struct FileId {
    dev_t device;
    ino_t inode;
    bool operator==(const FileId&) const = default;
};

struct FileIdHash {
    std::size_t operator()(const FileId& id) const {
        return std::hash<std::uint64_t>()(id.inode * 31 + id.device);
    }
};

// Walks a directory that somebody may be changing meanwhile: every entry is opened once without
// following links (O_PATH), and everything about it is asked of that descriptor.
class DirectoryImporter {
public:
    DirectoryImporter(TreeWriter& writer,
                      const ImportLimits& limits,
                      const Progress& progress,
                      FileId data)
        : writer_(writer), limits_(limits), progress_(progress), data_(data) {}

    // `path` is empty for the root.
    base::Status import_directory(int dir, const std::string& path, std::uint32_t depth);

private:
    base::Status import_name(int dir,
                             const std::string& name,
                             const std::string& path,
                             std::uint32_t depth);
    base::Status import_file(int path_fd, Entry entry, const struct stat& info);

    base::Status add(Entry entry) { return writer_.add(std::move(entry), no_body_); }

    TreeWriter& writer_;
    const ImportLimits& limits_;
    const Progress& progress_;
    FileId data_;
    std::uint64_t done_ = 0;
    std::unordered_map<FileId, std::string, FileIdHash> linked_;
    BodyReader no_body_ = []() -> base::Result<std::optional<Chunk>> {
        return std::optional<Chunk>();
    };
};

EntryType type_of(mode_t mode) {
    switch (mode & S_IFMT) {
        case S_IFDIR:
            return EntryType::Directory;
        case S_IFLNK:
            return EntryType::Symlink;
        case S_IFCHR:
            return EntryType::CharDevice;
        case S_IFBLK:
            return EntryType::BlockDevice;
        case S_IFIFO:
            return EntryType::Fifo;
        case S_IFSOCK:
            return EntryType::Socket;
        default:
            return EntryType::File;
    }
}

Entry entry_of(const struct stat& info, const std::string& path) {
    Entry entry;
    entry.path = path;
    entry.type = type_of(info.st_mode);
    entry.meta = metadata_of(info);
    entry.device = info.st_rdev;
    entry.size = entry.type == EntryType::File ? static_cast<std::uint64_t>(info.st_size) : 0;
    return entry;
}

base::Status DirectoryImporter::import_directory(int dir,
                                                 const std::string& path,
                                                 std::uint32_t depth) {
    struct stat info {};

    if (fstat(dir, &info) != 0) {
        return base::errno_error("look at " + entry_label(path));
    }
    if (FileId{info.st_dev, info.st_ino} == data_) {
        return base::usage_error(entry_label(path) + ": is warren's own data directory");
    }
    if (depth > limits_.depth) {
        return base::usage_error(entry_label(path) + ": path is deeper than " +
                                 std::to_string(limits_.depth) + " directories");
    }
    Entry entry = entry_of(info, path.empty() ? "." : path);
    entry.meta.xattrs = TRY(base::with_context(
        read_xattrs(base::proc_fd_path(dir), true, limits_.xattr_bytes), entry_label(path)));
    TRY(add(std::move(entry)));
    if (progress_) {
        progress_("copy", done_);
    }
    for (const std::string& name : TRY(base::list_dir(dir, "."))) {
        TRY(import_name(dir, name, path.empty() ? name : path + "/" + name, depth + 1));
    }
    return base::ok();
}

base::Status DirectoryImporter::import_name(int dir,
                                            const std::string& name,
                                            const std::string& path,
                                            std::uint32_t depth) {
    const base::Fd fd(base::openat2_retrying(dir, name.c_str(), O_PATH | O_NOFOLLOW, 0, kStayHere));

    struct stat info {};

    if (!fd && errno == EXDEV) {
        // A mount point: what it covers cannot be seen, what is mounted there is not wanted.
        if (fstatat(dir, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode)) {
            return add(Entry{.path = path, .type = EntryType::Directory, .meta = {.mode = 0755}});
        }
        return base::ok();
    }
    if (!fd || fstat(fd.get(), &info) != 0) {
        if (errno == ENOENT) {
            return base::ok();
        }
        return base::errno_error("open " + entry_label(path));
    }
    if (S_ISDIR(info.st_mode)) {
        const base::Fd child =
            TRY(base::open_at(AT_FDCWD, base::proc_fd_path(fd.get()), O_RDONLY | O_DIRECTORY));
        return import_directory(child.get(), path, depth);
    }
    Entry entry = entry_of(info, path);
    if (S_ISREG(info.st_mode)) {
        return import_file(fd.get(), std::move(entry), info);
    }
    if (S_ISLNK(info.st_mode)) {
        entry.target = TRY(base::read_link_at(fd.get(), ""));
    }
    return add(std::move(entry));
}

base::Status DirectoryImporter::import_file(int path_fd, Entry entry, const struct stat& info) {
    if (info.st_nlink > 1) {
        const auto [known, is_new] =
            linked_.try_emplace(FileId{info.st_dev, info.st_ino}, entry.path);
        if (!is_new) {
            return add(
                Entry{.path = entry.path, .type = EntryType::Hardlink, .target = known->second});
        }
    }
    const auto label = entry_label(entry.path);
    const base::Fd file = TRY(
        base::with_context(base::open_at(AT_FDCWD, base::proc_fd_path(path_fd), O_RDONLY), label));
    entry.meta.xattrs = TRY(base::with_context(
        read_xattrs(base::proc_fd_path(file.get()), true, limits_.xattr_bytes), label));
    done_ += entry.size;
    const BodyReader body = read_body(file.get(), entry.size);
    return writer_.add(std::move(entry), body);
}

}  // namespace

base::Result<ImageInfo> ImageStore::import_directory(const base::Name& name,
                                                     const std::string& path,
                                                     const ImportLimits& limits,
                                                     const Progress& progress) const {
    TRY(require_absent(name));
    const base::Fd root = TRY(base::open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY));

    struct stat data {};

    if (fstat(data_.get(), &data) != 0) {
        return base::errno_error("look at the data directory");
    }
    ImportSession session = TRY(ImportSession::begin(images_.get(), objects_.get(), limits));
    DirectoryImporter importer(
        session.writer(), limits, progress, FileId{data.st_dev, data.st_ino});
    TRY(base::with_context(importer.import_directory(root.get(), "", 0), "import " + path));
    if (progress) {
        progress("write to disk", 0);
    }
    return session.commit(name, "import " + path);
}

}  // namespace warren::images
