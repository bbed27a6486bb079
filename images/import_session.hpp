// One import, from nothing to a named image.
#pragma once

#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "images/image.hpp"
#include "images/objects.hpp"
#include "images/temp_dir.hpp"
#include "images/tree_writer.hpp"

namespace warren::images {

// Under way in a TempDir: root/ (the tree) and objects/ (files that the store does not have).
// Everything that was not committed goes with it.
class ImportSession {
public:
    // Neither descriptor is owned.
    [[nodiscard]] static base::Result<ImportSession> begin(int images,
                                                           int objects,
                                                           const ImportLimits& limits);
    ImportSession(const ImportSession&) = delete;
    ImportSession& operator=(const ImportSession&) = delete;
    ImportSession(ImportSession&&) = default;
    ImportSession& operator=(ImportSession&&) = delete;
    ~ImportSession() = default;

    [[nodiscard]] TreeWriter& writer() { return *writer_; }

    [[nodiscard]] int root() const { return root_.get(); }

    // Makes the image visible under the name, once its data are on the disk. Fills in all of the
    // information but source.
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
