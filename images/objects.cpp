#include "images/objects.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.hpp"
#include "images/file_body.hpp"
#include "images/metadata.hpp"

namespace warren::images {
namespace {

// Up to here a file is digested before it is written, so that one the store has is not written at
// all.
constexpr std::uint64_t kSmallFile = 1U << 20U;
// Links are left for the hard links that an archive makes to a file later.
constexpr nlink_t kMaxLinks = 60'000;
constexpr std::size_t kDigestLength = 64;

base::Status make_parent(int dir, const std::string& path) {
    const std::string parent = path.substr(0, path.find('/'));
    if (mkdirat(dir, parent.c_str(), 0700) != 0 && errno != EEXIST) {
        return base::errno_error("create directory " + parent);
    }
    return base::ok();
}

// link(2), making the destination's directory when it is missing. 0 or an errno.
base::Result<int> link_into(int parent, const std::string& name, int dir, const std::string& path) {
    for (bool is_made = false;; is_made = true) {
        if (linkat(parent, name.c_str(), dir, path.c_str(), 0) == 0) {
            return 0;
        }
        if (errno != ENOENT || is_made) {
            return errno;
        }
        TRY(make_parent(dir, path));
    }
}

base::Result<base::Fd> create_file(int parent, const std::string& name) {
    return base::open_at(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
}

base::Status finish_file(int fd, std::uint64_t size, const Metadata& meta) {
    if (ftruncate(fd, static_cast<off_t>(size)) != 0) {
        return base::errno_error("set size");
    }
    TRY(apply_to_file(fd, meta));

    // The digest says what the file is; a file system that keeps less would never verify.
    struct stat info {};

    if (fstat(fd, &info) != 0) {
        return base::errno_error("look at file");
    }
    if (info.st_mtim.tv_sec != meta.mtime.tv_sec || info.st_mtim.tv_nsec != meta.mtime.tv_nsec) {
        return base::Error(base::ErrorKind::Unsupported,
                           "keep the file's time: the data directory's file system has no "
                           "nanosecond time stamps (ext4 needs 256-byte inodes)");
    }
    return base::ok();
}

}  // namespace

base::Result<std::string> object_digest(const std::string& content, const Metadata& meta) {
    std::array<char, 128> head{};
    const int length = std::snprintf(head.data(),
                                     head.size(),
                                     "%o %llu %llu %lld %ld\n",
                                     meta.mode,
                                     static_cast<unsigned long long>(meta.uid),
                                     static_cast<unsigned long long>(meta.gid),
                                     static_cast<long long>(meta.mtime.tv_sec),
                                     meta.mtime.tv_nsec);
    base::Sha256 sha;
    sha.update("warren object 1\n");
    sha.update(content);
    sha.update("\n");
    sha.update(std::string_view(head.data(), static_cast<std::size_t>(length)));
    for (const Xattr& xattr : meta.xattrs) {
        sha.update(std::to_string(xattr.name.size()) + " " + std::to_string(xattr.value.size()) +
                   "\n");
        sha.update(xattr.name);
        sha.update(xattr.value);
    }
    return sha.hex();
}

base::Result<std::string> digest_of_file(int fd) {
    struct stat info {};

    if (fstat(fd, &info) != 0) {
        return base::errno_error("look at file");
    }
    Metadata meta = metadata_of(info);
    meta.xattrs = TRY(read_xattrs(base::proc_fd_path(fd), true, 1U << 20U));
    TRY(normalise(meta, false));
    const auto size = static_cast<std::uint64_t>(info.st_size);
    const BodyReader body = read_body(fd, size);
    BodyDigest digest;
    while (auto chunk = TRY(body())) {
        digest.update(*chunk);
    }
    return object_digest(TRY(digest.finish(size)), meta);
}

std::string object_path(const std::string& digest, std::uint32_t copy) {
    std::string path = digest.substr(0, 2) + "/" + digest;
    if (copy > 0) {
        path += "." + std::to_string(copy);
    }
    return path;
}

std::string digest_in_name(const std::string& file_name) {
    std::string digest = file_name.substr(0, kDigestLength);
    const bool is_hex = std::all_of(digest.begin(), digest.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    });
    const bool ends = file_name.size() == digest.size() || file_name[kDigestLength] == '.';
    return digest.size() == kDigestLength && is_hex && ends ? digest : std::string();
}

std::uint32_t& ObjectSink::next_copy(const std::string& digest) {
    std::uint64_t prefix = 0;
    (void)std::from_chars(digest.data(), digest.data() + 16, prefix, 16);
    return copies_[prefix];
}

base::Result<bool> ObjectSink::link_existing(int parent,
                                             const std::string& name,
                                             const std::string& digest) {
    TRY(lock_.lock(base::LockMode::Shared));
    std::uint32_t& copy = next_copy(digest);
    int error_number = 0;

    struct stat info {};

    for (;; ++copy) {
        const std::string path = object_path(digest, copy);
        error_number = 0;
        if (fstatat(objects_, path.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
            error_number = errno;
            break;
        }
        if (info.st_nlink >= kMaxLinks) {
            continue;
        }
        if (linkat(objects_, path.c_str(), parent, name.c_str(), 0) == 0) {
            break;
        }
        if (errno != EMLINK) {
            error_number = errno;
            break;
        }
    }
    lock_.unlock();
    if (error_number == ENOENT) {
        return false;
    }
    if (error_number != 0) {
        return base::errno_error(error_number, "link object " + object_path(digest, copy));
    }
    ++copy;
    shared_bytes_ += static_cast<std::uint64_t>(info.st_size);
    return true;
}

base::Status ObjectSink::keep_as_object(int parent,
                                        const std::string& name,
                                        const std::string& digest) {
    std::uint32_t& copy = next_copy(digest);
    for (;;) {
        const int error_number = TRY(link_into(parent, name, fresh_, object_path(digest, copy++)));
        if (error_number == 0) {
            return base::ok();
        }
        if (error_number != EEXIST) {
            return base::errno_error(error_number, "keep object " + digest);
        }
    }
}

base::Status ObjectSink::put(int parent,
                             const std::string& name,
                             const Metadata& meta,
                             std::uint64_t size,
                             const BodyReader& body) {
    const BodyReader checked = checked_body(body, size);
    return size <= kSmallFile ? put_small(parent, name, meta, size, checked)
                              : put_large(parent, name, meta, size, checked);
}

base::Status ObjectSink::put_small(int parent,
                                   const std::string& name,
                                   const Metadata& meta,
                                   std::uint64_t size,
                                   const BodyReader& body) {
    struct Extent {
        std::uint64_t offset;
        std::size_t length;
    };

    std::vector<std::byte> content(static_cast<std::size_t>(size));
    std::vector<Extent> extents;
    while (auto chunk = TRY(body())) {
        std::copy(chunk->bytes.begin(),
                  chunk->bytes.end(),
                  content.begin() + static_cast<std::ptrdiff_t>(chunk->offset));
        extents.push_back({chunk->offset, chunk->bytes.size()});
    }
    base::Sha256 sha;
    sha.update(content);
    const std::string digest = TRY(object_digest(TRY(sha.hex()), meta));
    if (TRY(link_existing(parent, name, digest))) {
        return base::ok();
    }
    const base::Fd fd = TRY(create_file(parent, name));
    for (const Extent& extent : extents) {
        TRY(write_chunk(fd.get(),
                        {extent.offset, std::span(content.data() + extent.offset, extent.length)}));
    }
    TRY(finish_file(fd.get(), size, meta));
    return keep_as_object(parent, name, digest);
}

base::Status ObjectSink::put_large(int parent,
                                   const std::string& name,
                                   const Metadata& meta,
                                   std::uint64_t size,
                                   const BodyReader& body) {
    BodyDigest content;
    {
        const base::Fd fd = TRY(create_file(parent, name));
        while (auto chunk = TRY(body())) {
            content.update(*chunk);
            TRY(write_chunk(fd.get(), *chunk));
        }
        TRY(finish_file(fd.get(), size, meta));
    }
    const std::string digest = TRY(object_digest(TRY(content.finish(size)), meta));
    const std::string aside = "aside";
    if (!TRY(link_existing(fresh_, aside, digest))) {
        return keep_as_object(parent, name, digest);
    }
    if (renameat(fresh_, aside.c_str(), parent, name.c_str()) != 0) {
        return base::errno_error("link object " + digest);
    }
    return base::ok();
}

base::Status ObjectSink::publish() {
    TRY(lock_.lock(base::LockMode::Shared));
    for (const std::string& group : TRY(base::list_dir(fresh_, "."))) {
        TRY(make_parent(objects_, group + "/"));
        for (const std::string& file : TRY(base::list_dir(fresh_, group))) {
            const std::string digest = digest_in_name(file);
            const std::string from = group + "/" + file;
            // Another import may have brought the same file meanwhile; then this one is a further
            // copy.
            std::string to = from;
            for (std::uint32_t copy = 0;
                 renameat2(fresh_, from.c_str(), objects_, to.c_str(), RENAME_NOREPLACE) != 0;
                 ++copy) {
                if (errno != EEXIST) {
                    return base::errno_error("keep object " + to);
                }
                to = object_path(digest, copy);
            }
        }
    }
    lock_.unlock();
    return base::ok();
}

base::Status collect_garbage(int objects, int images) {
    StoreLock lock = TRY(StoreLock::open(images));
    TRY(lock.lock(base::LockMode::Exclusive));
    for (const std::string& group : TRY(base::list_dir(objects, "."))) {
        const base::Fd dir = TRY(base::open_dir(objects, group));
        for (const std::string& file : TRY(base::list_dir(dir.get(), "."))) {
            struct stat info {};

            if (fstatat(dir.get(), file.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
                S_ISREG(info.st_mode) && info.st_nlink == 1) {
                TRY(base::remove_file_at(dir.get(), file));
            }
        }
    }
    return base::ok();
}

}  // namespace warren::images
