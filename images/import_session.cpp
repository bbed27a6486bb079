#include "images/import_session.hpp"

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/units.hpp"
#include "images/image_info.hpp"
#include "images/inspect_tree.hpp"

namespace warren::images {
namespace {

constexpr std::string_view kTempPrefix = ".tmp-";

base::Result<std::string> random_name() {
    std::array<unsigned char, 8> bytes{};
    if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
        return base::errno_error("get random bytes");
    }
    std::string name(kTempPrefix);
    for (const unsigned char byte : bytes) {
        name += "0123456789abcdef"[byte >> 4U];
        name += "0123456789abcdef"[byte & 15U];
    }
    return name;
}

bool is_same_file(int dir, const std::string& name, int fd) {
    struct stat by_name {};

    struct stat by_fd {};

    return fstatat(dir, name.c_str(), &by_name, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstat(fd, &by_fd) == 0 && by_name.st_dev == by_fd.st_dev &&
           by_name.st_ino == by_fd.st_ino;
}

base::Result<base::Fd> make_dir(int parent, const std::string& name, mode_t mode) {
    if (mkdirat(parent, name.c_str(), 0700) != 0) {
        return base::errno_error("create directory " + name);
    }
    base::Fd fd = TRY(base::open_at(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (fchmod(fd.get(), mode) != 0) {
        return base::errno_error("set mode of directory " + name);
    }
    return fd;
}

base::Status sync_directory(int fd) {
    if (fsync(fd) != 0) {
        return base::errno_error("sync the images directory");
    }
    return base::ok();
}

}  // namespace

base::Status sweep_leftovers(int images) {
    for (const std::string& name : TRY(base::list_dir(images, "."))) {
        if (!name.starts_with(kTempPrefix)) {
            continue;
        }
        auto dir = base::open_at(images, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        if (!dir || flock(dir.value().get(), LOCK_EX | LOCK_NB) != 0) {
            continue;
        }
        TRY(base::remove_tree_at(images, name));
    }
    return base::ok();
}

base::Result<TempDir> make_temp_dir(int images) {
    // A sweep may take a directory for a leftover in the moment before it is locked: then another is made.
    for (int attempt = 0; attempt < 100; ++attempt) {
        TempDir temp;
        temp.name = TRY(random_name());
        if (mkdirat(images, temp.name.c_str(), 0700) != 0) {
            if (errno == EEXIST) {
                continue;
            }
            return base::errno_error("create directory " + temp.name);
        }
        auto fd = base::open_at(images, temp.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        if (fd && flock(fd.value().get(), LOCK_EX | LOCK_NB) == 0 &&
            is_same_file(images, temp.name, fd.value().get())) {
            temp.fd = std::move(fd).value();
            return temp;
        }
    }
    return base::fail("create a temporary directory: each was taken for a leftover");
}

ImportSession::ImportSession(int images, int objects, TempDir temp)
    : images_(images), objects_(objects), temp_(std::move(temp)) {}

base::Result<ImportSession> ImportSession::begin(int images,
                                                 int objects,
                                                 const ImportLimits& limits) {
    TRY(sweep_leftovers(images));
    ImportSession session(images, objects, TRY(make_temp_dir(images)));
    TRY(session.open_below(limits));
    return session;
}

base::Status ImportSession::open_below(const ImportLimits& limits) {
    root_ = TRY(make_dir(temp_.fd.get(), "root", 0755));
    fresh_ = TRY(make_dir(temp_.fd.get(), "objects", 0700));
    sink_ = std::make_unique<ObjectSink>(objects_, fresh_.get(), TRY(StoreLock::open(images_)));
    writer_ = std::make_unique<TreeWriter>(root_.get(), *sink_, limits);
    return base::ok();
}

ImportSession::~ImportSession() {
    if (temp_.fd.valid()) {
        (void)base::remove_tree_at(images_, temp_.name);
    }
}

base::Result<ImageInfo> ImportSession::commit(const base::Name& name, const std::string& source) {
    const TreeCounts counts = TRY(writer_->finish());
    TreeFacts facts = inspect_tree(root_.get());
    ImageInfo info{.name = name};
    info.created = base::format_time_now();
    info.source = base::printable(source);
    info.os_id = std::move(facts.os_id);
    info.os_version = std::move(facts.os_version);
    info.architecture = std::move(facts.architecture);
    info.init = facts.init;
    info.init_path = std::move(facts.init_path);
    info.entries = counts.entries;
    info.files = counts.files;
    info.bytes = counts.bytes;
    info.shared_bytes = std::min(sink_->shared_bytes(), counts.bytes);
    TRY(base::replace_file_at(
        temp_.fd.get(), kImageFile, dump_image_file(info), 0600, base::Durability::Volatile));
    if (syncfs(temp_.fd.get()) != 0) {
        return base::errno_error("write image to the disk");
    }
    TRY(sink_->publish());
    TRY(base::remove_tree_at(temp_.fd.get(), "objects"));
    if (renameat2(images_, temp_.name.c_str(), images_, name.str().c_str(), RENAME_NOREPLACE) !=
        0) {
        const int error_number = errno;
        (void)base::remove_tree_at(temp_.fd.get(), "root");
        (void)collect_garbage(objects_, images_);
        if (error_number == EEXIST) {
            return base::Error(base::ErrorKind::Exists, "image " + name.str() + " exists already");
        }
        return base::errno_error(error_number, "name image " + name.str());
    }
    temp_.fd.reset();
    TRY(sync_directory(images_));
    return info;
}

}  // namespace warren::images
