#include "images/import_session.hpp"

#include <algorithm>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/units.hpp"
#include "images/image_info.hpp"
#include "images/inspect_tree.hpp"

namespace warren::images {
namespace {

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

ImportSession::ImportSession(int images, int objects, TempDir temp)
    : images_(images), objects_(objects), temp_(std::move(temp)) {}

base::Result<ImportSession> ImportSession::begin(int images,
                                                 int objects,
                                                 const ImportLimits& limits) {
    TRY(sweep_leftovers(images));
    ImportSession session(images, objects, TRY(TempDir::make(images)));
    TRY(session.open_below(limits));
    return session;
}

base::Status ImportSession::open_below(const ImportLimits& limits) {
    root_ = TRY(make_dir(temp_.fd(), "root", 0755));
    fresh_ = TRY(make_dir(temp_.fd(), "objects", 0700));
    sink_ = std::make_unique<ObjectSink>(objects_, fresh_.get(), TRY(StoreLock::open(images_)));
    writer_ = std::make_unique<TreeWriter>(root_.get(), *sink_, limits);
    return base::ok();
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
        temp_.fd(), kImageFile, dump_image_file(info), 0600, base::Durability::Volatile));
    if (syncfs(temp_.fd()) != 0) {
        return base::errno_error("write image to the disk");
    }
    TRY(sink_->publish());
    TRY(base::remove_tree_at(temp_.fd(), "objects"));
    if (renameat2(images_, temp_.name().c_str(), images_, name.str().c_str(), RENAME_NOREPLACE) !=
        0) {
        const int error_number = errno;
        (void)base::remove_tree_at(temp_.fd(), "root");
        (void)collect_garbage(objects_, images_);
        if (error_number == EEXIST) {
            return base::Error(base::ErrorKind::Exists, "image " + name.str() + " exists already");
        }
        return base::errno_error(error_number, "name image " + name.str());
    }
    temp_.release();
    TRY(sync_directory(images_));
    return info;
}

}  // namespace warren::images
