// The store's lock: flock(2) on the images directory. Shared: an object that is seen stays.
// Exclusive: what nothing links to may go.
#pragma once

#include "base/fd.hpp"
#include "base/lock.hpp"
#include "base/result.hpp"

namespace warren::images {

// An open file description of its own, so that it neither shares nor drops the lock of another in
// this process.
class StoreLock {
public:
    [[nodiscard]] static base::Result<StoreLock> open(int images);
    // Waits: holders are done within moments.
    [[nodiscard]] base::Status lock(base::LockMode mode);
    void unlock();

private:
    explicit StoreLock(base::Fd fd) : fd_(std::move(fd)) {}

    base::Fd fd_;
};

}  // namespace warren::images
