#include "base/fd.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include "base/openat2.hpp"

namespace warren::base {

void Fd::reset(int fd) {
    if (fd_ >= 0) {
        // A destructor must not lose the errno that its scope is about to report. Not retried on
        // EINTR: Linux has released the number by then.
        const int saved = errno;
        (void)::close(fd_);
        errno = saved;
    }
    fd_ = fd;
}

Result<Fd> Fd::duplicate() const {
    const int copy = ::fcntl(fd_, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) {
        return errno_error("duplicate a file descriptor");
    }
    return Fd(copy);
}

int openat2_retrying(int at, const char* path, int flags, mode_t mode, std::uint64_t resolve) {
    constexpr int kAttempts = 128;
    struct open_how how = {};
    how.flags = static_cast<std::uint64_t>(static_cast<unsigned>(flags | O_CLOEXEC));
    // openat2(2) refuses a mode where nothing can be created.
    const bool creates = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
    how.mode = creates ? mode : 0;
    how.resolve = resolve;
    for (int attempt = 0;;) {
        const long fd = ::syscall(SYS_openat2, at, path, &how, sizeof(how));
        if (fd >= 0) {
            return static_cast<int>(fd);
        }
        const bool again = errno == EAGAIN && ++attempt < kAttempts;
        if (errno != EINTR && !again) {
            return -1;
        }
    }
}

namespace {

int open_plain(int at, const char* path, int flags, mode_t mode) {
    for (;;) {
        const int fd = ::openat(at, path, flags | O_CLOEXEC, mode);
        if (fd >= 0 || errno != EINTR) {
            return fd;
        }
    }
}

}  // namespace

Result<Fd> open_at(int at, const std::string& path, int flags, mode_t mode, Resolve resolve) {
    if (path.find('\0') != std::string::npos) {
        return errno_error(EINVAL, "open " + path);
    }
    int fd = -1;
    switch (resolve) {
        case Resolve::Plain:
            fd = open_plain(at, path.c_str(), flags, mode);
            break;
        case Resolve::NoSymlinks:
            fd = openat2_retrying(
                at, path.c_str(), flags, mode, RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH);
            break;
        case Resolve::InRoot:
            fd = openat2_retrying(
                at, path.c_str(), flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
            break;
    }
    if (fd < 0) {
        return errno_error("open " + path);
    }
    return Fd(fd);
}

Result<Fd> open_dir(int at, const std::string& path, Resolve resolve) {
    return open_at(at, path, O_RDONLY | O_DIRECTORY, 0, resolve);
}

std::string proc_fd_path(int fd) {
    return "/proc/self/fd/" + std::to_string(fd);
}

}  // namespace warren::base
