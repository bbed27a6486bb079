#include "images/store_lock.hpp"

#include <sys/file.h>

namespace warren::images {

base::Result<StoreLock> StoreLock::open(int images) {
    return StoreLock(TRY(base::open_at(images, ".", O_RDONLY | O_DIRECTORY)));
}

base::Status StoreLock::lock(base::LockMode mode) {
    const int operation = mode == base::LockMode::Shared ? LOCK_SH : LOCK_EX;
    while (flock(fd_.get(), operation) != 0) {
        if (errno != EINTR) {
            return base::errno_error("lock the image store");
        }
    }
    return base::ok();
}

void StoreLock::unlock() {
    (void)flock(fd_.get(), LOCK_UN);
}

}  // namespace warren::images
