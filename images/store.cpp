#include <algorithm>

#include <fcntl.h>
#include <sys/stat.h>

#include "images/image.hpp"
#include "images/image_info.hpp"
#include "images/objects.hpp"
#include "images/store_lock.hpp"
#include "images/temp_dir.hpp"

namespace warren::images {
namespace {

base::Error no_such_image(const base::Name& name) {
    return base::Error(base::ErrorKind::NotFound, "no image " + name.str());
}

base::Result<base::Fd> make_store_dir(int data, const std::string& name) {
    TRY(base::make_dirs(data, name, 0700));
    return base::open_at(data, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

// One that cannot be read is listed all the same, so that it is seen and can be removed.
ImageInfo damaged(const base::Name& name, const base::Error& error) {
    return ImageInfo{
        .name = name, .source = "damaged: " + error.describe(), .init = InitSystem::Unknown};
}

}  // namespace

base::Result<ImageStore> ImageStore::open(int data) {
    if (data < 0) {
        return ImageStore(base::Fd(), base::Fd(), base::Fd());
    }
    base::Fd own = TRY(base::open_at(data, ".", O_RDONLY | O_DIRECTORY));
    base::Fd images = TRY(make_store_dir(data, "images"));
    base::Fd objects = TRY(make_store_dir(data, "objects"));
    return ImageStore(std::move(own), std::move(images), std::move(objects));
}

base::Result<std::vector<ImageInfo>> ImageStore::list() const {
    std::vector<ImageInfo> out;
    if (!images_) {
        return out;
    }
    for (const std::string& text : TRY(base::list_dir(images_.get(), "."))) {
        const auto name = base::Name::parse_image(text);
        if (!name) {
            continue;
        }
        auto info = load(name.value());
        if (info) {
            out.push_back(std::move(info).value());
        } else if (info.error().kind() != base::ErrorKind::NotFound) {
            out.push_back(damaged(name.value(), info.error()));
        }
    }
    std::sort(out.begin(), out.end(), [](const ImageInfo& a, const ImageInfo& b) {
        return a.name < b.name;
    });
    return out;
}

base::Result<ImageInfo> ImageStore::load(const base::Name& name) const {
    if (!TRY(exists(name))) {
        return no_such_image(name);
    }
    const auto text = base::read_file_at(images_.get(), name.str() + "/" + kImageFile);
    if (!text) {
        return base::Error(base::ErrorKind::Corrupt,
                           text.error().error_number(),
                           "read image " + name.str() + ": " + text.error().what());
    }
    return parse_image_file(text.value(), name);
}

base::Result<bool> ImageStore::exists(const base::Name& name) const {
    if (!images_) {
        return false;
    }
    return base::exists_at(images_.get(), name.str());
}

base::Status ImageStore::require_absent(const base::Name& name) const {
    if (TRY(exists(name))) {
        return base::Error(base::ErrorKind::Exists, "image " + name.str() + " exists already");
    }
    return base::ok();
}

base::Result<base::Fd> ImageStore::open_root(const base::Name& name) const {
    auto root = base::open_at(images_.get(),
                              name.str() + "/root",
                              O_PATH | O_DIRECTORY | O_NOFOLLOW,
                              0,
                              base::Resolve::NoSymlinks);
    if (!root && root.error().error_number() == ENOENT) {
        return no_such_image(name);
    }
    return root;
}

base::Status ImageStore::set_aside(const base::Name& name,
                                   const std::string& temp,
                                   const std::function<base::Status()>& may_remove) const {
    StoreLock lock = TRY(StoreLock::open(images_.get()));
    TRY(lock.lock(base::LockMode::Exclusive));
    if (may_remove) {
        TRY(may_remove());
    }
    const std::string aside = temp + "/image";
    if (renameat(images_.get(), name.str().c_str(), images_.get(), aside.c_str()) != 0) {
        if (errno == ENOENT) {
            return no_such_image(name);
        }
        return base::errno_error("remove image " + name.str());
    }
    return base::ok();
}

base::Status ImageStore::remove(const base::Name& name,
                                const std::function<base::Status()>& may_remove) const {
    TRY(sweep_leftovers(images_.get()));
    {
        const TempDir temp = TRY(TempDir::make(images_.get()));
        TRY(set_aside(name, temp.name(), may_remove));
        TRY(base::remove_tree_at(temp.fd(), "image"));
    }
    return collect_garbage(objects_.get(), images_.get());
}

}  // namespace warren::images
