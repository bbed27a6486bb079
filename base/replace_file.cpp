// The one place that writes state files: see replace_file_at() in base/fd.hpp.
#include <sys/file.h>
#include <unistd.h>

#include "base/fd.hpp"

namespace warren::base {

namespace {

bool same_file(const struct stat& a, const struct stat& b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

Status lock_exclusive(int fd, const std::string& path) {
    while (::flock(fd, LOCK_EX) != 0) {
        if (errno != EINTR) {
            return errno_error("lock " + path);
        }
    }
    return ok();
}

// The temporary under `temp`, locked by us: no other writer touches it until it is renamed or we
// die.
Result<Fd> claim_temporary(int dir, const std::string& temp) {
    for (;;) {
        Fd fd = TRY(open_at(dir, temp, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0600));
        TRY(lock_exclusive(fd.get(), temp));
        struct stat ours = {};
        if (::fstat(fd.get(), &ours) != 0) {
            return errno_error("look up " + temp);
        }
        if (!S_ISREG(ours.st_mode)) {
            return fail("write " + temp + ": not a regular file");
        }
        struct stat named = {};
        if (::fstatat(dir, temp.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
            same_file(ours, named)) {
            return fd;
        }
        // The writer before us has renamed or removed it while we waited for the lock.
    }
}

Status fill(
    int fd, const std::string& temp, std::string_view text, mode_t mode, Durability durability) {
    if (::ftruncate(fd, 0) != 0) {
        return errno_error("truncate " + temp);
    }
    if (::fchmod(fd, mode) != 0) {
        return errno_error("change mode of " + temp);
    }
    TRY(write_all(fd, text, temp));
    if (durability == Durability::Durable && ::fsync(fd) != 0) {
        return errno_error("sync " + temp);
    }
    return ok();
}

Status sync_parent(int dir, const std::string& name) {
    const auto slash = name.rfind('/');
    const auto parent = slash == std::string::npos ? "." : name.substr(0, slash + 1);
    // Opened anew since `dir` may be O_PATH, which fsync(2) refuses.
    const Fd fd = TRY(open_dir(dir, parent));
    if (::fsync(fd.get()) != 0) {
        return errno_error("sync directory " + parent);
    }
    return ok();
}

}  // namespace

Status replace_file_at(
    int dir, const std::string& name, std::string_view text, mode_t mode, Durability durability) {
    const auto temp = name + ".tmp";
    const Fd fd = TRY(claim_temporary(dir, temp));
    auto written = fill(fd.get(), temp, text, mode, durability);
    if (written && ::renameat(dir, temp.c_str(), dir, name.c_str()) != 0) {
        written = errno_error("rename " + temp + " to " + name);
    }
    if (!written) {
        auto error = std::move(written).error();
        if (const auto removed = remove_file_at(dir, temp); !removed) {
            error.add_secondary(removed.error());
        }
        return error;
    }
    return durability == Durability::Durable ? sync_parent(dir, name) : Status(ok());
}

}  // namespace warren::base
