#include "runtime/engine/oci/seccomp_cache.hpp"

#include <fcntl.h>

namespace warren::engine::oci {

base::Fd open_seccomp_cache(const Context& context) {
    constexpr const char* kDirectory = "/var/cache/warren-oci";
    if (context.rootless || !base::make_dirs(AT_FDCWD, kDirectory, 0700)) {
        return {};
    }
    auto dir = base::open_dir(AT_FDCWD, kDirectory);
    return dir ? std::move(dir).value() : base::Fd();
}

}  // namespace warren::engine::oci
