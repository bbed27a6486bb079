#include "base/lock.hpp"

#include <algorithm>
#include <thread>

#include <sys/file.h>

namespace warren::base {

namespace {

using Clock = std::chrono::steady_clock;

enum class Attempt : unsigned char { Locked, Held, Replaced };

Result<Attempt> try_lock(int dir, const std::string& name, int fd, LockMode mode) {
    const int operation = mode == LockMode::Shared ? LOCK_SH : LOCK_EX;
    while (::flock(fd, operation | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            return Attempt::Held;
        }
        if (errno != EINTR) {
            return errno_error("lock " + name);
        }
    }
    struct stat locked = {};
    struct stat named = {};
    if (::fstat(fd, &locked) != 0) {
        return errno_error("look up " + name);
    }
    if (::fstatat(dir, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) {
            return Attempt::Replaced;
        }
        return errno_error("look up " + name);
    }
    const bool same = locked.st_dev == named.st_dev && locked.st_ino == named.st_ino;
    return same ? Attempt::Locked : Attempt::Replaced;
}

}  // namespace

Result<FileLock> FileLock::acquire(int dir,
                                   const std::string& name,
                                   LockMode mode,
                                   std::chrono::milliseconds timeout) {
    using std::chrono::milliseconds;
    constexpr milliseconds kLongest = std::chrono::hours(24 * 365);  // keeps the sum below in range
    constexpr milliseconds kLongestNap{20};
    constexpr int kMaxReplaced = 1000;
    const auto deadline = Clock::now() + std::clamp(timeout, milliseconds(0), kLongest);
    milliseconds nap{1};
    for (int replaced = 0;;) {
        // Opened anew for each try: its holder may have unlinked the file, and who waits on the old
        // one would wait in vain while the name is free.
        Fd fd = TRY(open_at(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
        const Attempt attempt = TRY(try_lock(dir, name, fd.get(), mode));
        if (attempt == Attempt::Locked) {
            return FileLock(std::move(fd));
        }
        if (attempt == Attempt::Replaced && ++replaced < kMaxReplaced) {
            continue;
        }
        const auto now = Clock::now();
        if (now >= deadline) {
            return Error(ErrorKind::Busy, "lock " + name + ": held by another process");
        }
        // There is no flock(2) with a timeout short of a signal, which a library has no business
        // with.
        const auto left = std::chrono::ceil<milliseconds>(deadline - now);
        std::this_thread::sleep_for(std::min(nap, left));
        nap = std::min(nap * 2, kLongestNap);
    }
}

}  // namespace warren::base
