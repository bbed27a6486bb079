// One import under way: images/.tmp-XXXX with root/ (the tree) and objects/ (files that the store does not have). It holds a lock on
// the directory; a free lock marks what a dead import left behind.
#pragma once

#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "images/image.hpp"
#include "images/objects.hpp"
#include "images/tree_writer.hpp"

namespace warren::images {

// Removes the directories that dead imports and removals left.
[[nodiscard]] base::Status sweep_leftovers(int images);

// A directory of images/ under a name that no image has, locked.
struct TempDir {
    std::string name;
    base::Fd fd;
};

[[nodiscard]] base::Result<TempDir> make_temp_dir(int images);

class ImportSession {
public:
    // Neither descriptor is owned.
    [[nodiscard]] static base::Result<ImportSession> begin(int images,
                                                           int objects,
                                                           const ImportLimits& limits);
    ImportSession(ImportSession&&) = default;
    ImportSession& operator=(ImportSession&&) = delete;
    // Removes everything that was not committed.
    ~ImportSession();

    [[nodiscard]] TreeWriter& writer() { return *writer_; }

    [[nodiscard]] int root() const { return root_.get(); }

    // Makes the image visible under the name, once its data are on the disk. Fills in all of the information but source.
    [[nodiscard]] base::Result<ImageInfo> commit(const base::Name& name, const std::string& source);

private:
    ImportSession(int images, int objects, TempDir temp);
    [[nodiscard]] base::Status open_below(const ImportLimits& limits);
    int images_;
    int objects_;
    TempDir temp_;
    base::Fd root_;
    base::Fd fresh_;
    std::unique_ptr<ObjectSink> sink_;
    std::unique_ptr<TreeWriter> writer_;
};

}  // namespace warren::images
