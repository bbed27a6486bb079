// Directories images/.tmp-XXXX for work under way. Their owner holds a lock on them; a free lock
// marks what a dead process left behind.
#pragma once

#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace warren::images {

// Removes the directories whose owners died.
[[nodiscard]] base::Status sweep_leftovers(int images);

class TempDir {
public:
    // `images` is not owned and outlives it.
    [[nodiscard]] static base::Result<TempDir> make(int images);
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    TempDir(TempDir&&) = default;
    TempDir& operator=(TempDir&&) = delete;
    // Removes the directory and all in it.
    ~TempDir();

    [[nodiscard]] int fd() const { return fd_.get(); }

    [[nodiscard]] const std::string& name() const { return name_; }

    // It has another name now, and stays.
    void release() { fd_.reset(); }

private:
    TempDir(int images, std::string name, base::Fd fd)
        : images_(images), name_(std::move(name)), fd_(std::move(fd)) {}

    int images_;
    std::string name_;
    base::Fd fd_;
};

}  // namespace warren::images
