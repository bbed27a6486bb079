// Advisory locks by flock(2): they belong to the open file description, so no close() elsewhere
// drops them, and the kernel frees them when their owner dies however it dies.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace warren::base {

enum class LockMode : unsigned char { Shared, Exclusive };

// A held lock on a file that may be unlinked by its exclusive holder: acquire() starts over when
// the file it locked is no longer the one under that name.
class FileLock {
public:
    // Creates the file (0600) when absent. Waits at most `timeout` (0: one try); then
    // ErrorKind::Busy.
    [[nodiscard]] static Result<FileLock> acquire(int dir,
                                                  const std::string& name,
                                                  LockMode mode,
                                                  std::chrono::milliseconds timeout);
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;
    FileLock(FileLock&&) = default;
    FileLock& operator=(FileLock&&) = default;
    // Closing the descriptor unlocks.
    ~FileLock() = default;

    [[nodiscard]] int fd() const { return fd_.get(); }

private:
    explicit FileLock(Fd fd) : fd_(std::move(fd)) {}

    Fd fd_;
};

}  // namespace warren::base
