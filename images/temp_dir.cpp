#include "images/temp_dir.hpp"

#include <array>
#include <string_view>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

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

base::Result<TempDir> TempDir::make(int images) {
    // A sweep may take a directory for a leftover in the moment before it is locked: then another
    // is made.
    for (int attempt = 0; attempt < 100; ++attempt) {
        std::string name = TRY(random_name());
        if (mkdirat(images, name.c_str(), 0700) != 0) {
            if (errno == EEXIST) {
                continue;
            }
            return base::errno_error("create directory " + name);
        }
        auto fd = base::open_at(images, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        if (fd && flock(fd.value().get(), LOCK_EX | LOCK_NB) == 0 &&
            is_same_file(images, name, fd.value().get())) {
            return TempDir(images, std::move(name), std::move(fd).value());
        }
    }
    return base::fail("create a temporary directory: each was taken for a leftover");
}

TempDir::~TempDir() {
    if (fd_.valid()) {
        (void)base::remove_tree_at(images_, name_);
    }
}

}  // namespace warren::images
