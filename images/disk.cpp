#include <sys/stat.h>

#include "images/rootfs.hpp"

namespace warren::images {

base::Status create_disk(int guest_dir) {
    for (const char* name : {"upper", "work"}) {
        if (mkdirat(guest_dir, name, 0700) != 0) {
            return base::errno_error(std::string("create directory ") + name);
        }
    }
    // The upper is the guest's "/": overlayfs shows its owner and mode, not the image's. Whatever
    // the umask is.
    if (fchmodat(guest_dir, "upper", 0755, 0) != 0) {
        return base::errno_error("set the mode of directory upper");
    }
    return base::ok();
}

base::Status remove_disk(int guest_dir) {
    auto first = base::remove_tree_at(guest_dir, "upper");
    auto second = base::remove_tree_at(guest_dir, "work");
    if (first.has_error()) {
        if (second.has_error()) {
            return std::move(first).error().with_secondary(std::move(second).error());
        }
        return first;
    }
    return second;
}

}  // namespace warren::images
