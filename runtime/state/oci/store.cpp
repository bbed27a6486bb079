// ROOT and the locks in it. One container's directory: container_dir.cpp.
#include "runtime/state/oci/store.hpp"

#include <algorithm>
#include <thread>

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/state/oci/files.hpp"

namespace warren::state::oci {

namespace {

using base::Fd;
using base::Result;
using base::Status;
using std::chrono::milliseconds;

using Clock = std::chrono::steady_clock;

constexpr mode_t kPrivate = 0700;
// How often another may be faster than we are before something else must be wrong.
constexpr int kMaxTries = 1000;
// No id has this character.
constexpr char kUnnamed = '#';

base::Error not_found(const std::string& id) {
    return {base::ErrorKind::NotFound, "container \"" + id + "\" does not exist"};
}

// False when another holds it in a way that excludes `operation`.
Result<bool> try_flock(int fd, int operation, const std::string& name) {
    while (::flock(fd, operation | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            return false;
        }
        if (errno != EINTR) {
            return base::errno_error("lock " + name);
        }
    }
    return true;
}

// Whether `fd` is still what has the name.
Result<bool> has_name(int root, const std::string& name, int fd) {
    struct stat open = {};
    struct stat named = {};
    if (::fstat(fd, &open) != 0) {
        return base::errno_error("look up " + name);
    }
    if (::fstatat(root, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) {
            return false;
        }
        return base::errno_error("look up " + name);
    }
    return open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

Result<Fd> open_plain_dir(int root, const std::string& name) {
    return base::open_at(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

// A locked directory without a container's name; nullopt when a sweep took it for a dead maker's.
struct Unnamed {
    std::string name;
    Fd fd;
};

Result<std::optional<Unnamed>> make_unnamed(int root, int number) {
    auto name = kUnnamed + std::to_string(::getpid()) + "." + std::to_string(number);
    if (::mkdirat(root, name.c_str(), kPrivate) != 0) {
        if (errno == EEXIST) {
            return std::optional<Unnamed>();
        }
        return base::errno_error("make directory " + name);
    }
    auto fd = open_plain_dir(root, name);
    if (!fd) {
        if (fd.error().error_number() == ENOENT) {
            return std::optional<Unnamed>();
        }
        return std::move(fd).error();
    }
    if (!TRY(try_flock(fd.value().get(), LOCK_EX, name)) ||
        !TRY(has_name(root, name, fd.value().get()))) {
        return std::optional<Unnamed>();
    }
    // Whatever the umask.
    if (::fchmod(fd.value().get(), kPrivate) != 0) {
        return base::errno_error("change mode of " + name);
    }
    return std::optional(Unnamed{std::move(name), std::move(fd).value()});
}

}  // namespace

Result<std::string> default_root(bool rootless, const char* xdg_runtime_dir) {
    const std::string name = "/warren-oci";
    if (!rootless) {
        return "/run" + name;
    }
    if (xdg_runtime_dir == nullptr || *xdg_runtime_dir != '/') {
        return base::usage_error("find a directory for containers: XDG_RUNTIME_DIR is not set")
            .with_place("--root");
    }
    return xdg_runtime_dir + name;
}

Result<Store> Store::open(std::string root, bool create) {
    if (root.empty()) {
        return base::usage_error("expected a directory, found nothing").with_place("--root");
    }
    if (create) {
        TRY(base::make_dirs(AT_FDCWD, root, kPrivate | S_ISVTX));
    }
    auto dir = base::open_dir(AT_FDCWD, root);
    if (!dir) {
        if (create || dir.error().error_number() != ENOENT) {
            return std::move(dir).error();
        }
        return Store(std::move(root), Fd());
    }
    return Store(std::move(root), std::move(dir).value());
}

Result<ContainerDir> Store::create(const ContainerId& id) const {
    if (!dir_) {
        return base::errno_error(ENOENT, "open directory " + root_);
    }
    sweep();
    for (int tries = 0; tries < kMaxTries; ++tries) {
        auto made = TRY(base::with_context(make_unnamed(dir_.get(), tries), root_));
        if (!made) {
            continue;
        }
        if (::renameat2(
                dir_.get(), made->name.c_str(), dir_.get(), id.str().c_str(), RENAME_NOREPLACE) ==
            0) {
            return ContainerDir(id, std::move(made->fd));
        }
        const int error_number = errno;
        (void)::unlinkat(dir_.get(), made->name.c_str(), AT_REMOVEDIR);
        if (error_number == EEXIST) {
            return base::Error(base::ErrorKind::Exists,
                               "container \"" + id.str() + "\" exists already");
        }
        return base::errno_error(error_number, "make directory " + root_ + "/" + id.str());
    }
    return base::errno_error(EBUSY, "make directory " + root_ + "/" + id.str());
}

Result<ContainerDir> Store::open(const ContainerId& id) const {
    if (!dir_) {
        return not_found(id.str());
    }
    auto fd = open_plain_dir(dir_.get(), id.str());
    if (!fd) {
        if (fd.error().error_number() == ENOENT) {
            return not_found(id.str());
        }
        return std::move(fd).error().with_context(root_);
    }
    return ContainerDir(id, std::move(fd).value());
}

Result<ContainerDir> Store::lock(const ContainerId& id,
                                 base::LockMode mode,
                                 milliseconds timeout) const {
    constexpr milliseconds kLongest = std::chrono::hours(24 * 365);  // keeps the sum in range
    constexpr milliseconds kLongestNap{20};
    const int operation = mode == base::LockMode::Shared ? LOCK_SH : LOCK_EX;
    const auto deadline = Clock::now() + std::clamp(timeout, milliseconds(0), kLongest);
    milliseconds nap{1};
    for (int renamed = 0;;) {
        // Opened anew for each try: the one that was locked may be removed, and another have the name.
        auto dir = TRY(open(id));
        if (TRY(try_flock(dir.fd(), operation, id.str()))) {
            if (TRY(has_name(dir_.get(), id.str(), dir.fd()))) {
                return dir;
            }
            if (++renamed < kMaxTries) {
                continue;
            }
        }
        const auto now = Clock::now();
        if (now >= deadline) {
            return base::Error(
                base::ErrorKind::Busy,
                "lock container \"" + id.str() + "\": another command is at work on it");
        }
        // There is no flock(2) with a timeout short of a signal.
        std::this_thread::sleep_for(std::min(nap, std::chrono::ceil<milliseconds>(deadline - now)));
        nap = std::min(nap * 2, kLongestNap);
    }
}

Result<bool> Store::is_locked(const ContainerId& id) const {
    const auto dir = open(id);
    if (!dir) {
        if (dir.error().kind() == base::ErrorKind::NotFound) {
            return false;
        }
        return dir.error();
    }
    return !TRY(try_flock(dir.value().fd(), LOCK_SH, id.str()));
}

Status Store::remove(ContainerDir dir) const {
    TRY(base::with_context(dir.remove_content(), root_ + "/" + dir.id().str()));
    if (::unlinkat(dir_.get(), dir.id().str().c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
        return base::errno_error("remove directory " + root_ + "/" + dir.id().str());
    }
    return base::ok();
}

Result<std::vector<ContainerId>> Store::ids() const {
    std::vector<ContainerId> out;
    if (!dir_) {
        return out;
    }
    for (const auto& name : TRY(base::with_context(list_directories(dir_.get()), root_))) {
        if (auto id = ContainerId::parse(name)) {
            out.push_back(std::move(id).value());
        }
    }
    std::sort(out.begin(), out.end());
    return out;
}

void Store::sweep() const {
    const auto names = dir_ ? list_directories(dir_.get()) : std::vector<std::string>();
    if (!names) {
        return;
    }
    for (const auto& name : names.value()) {
        if (name.front() != kUnnamed) {
            continue;
        }
        const auto fd = open_plain_dir(dir_.get(), name);
        const auto locked = fd ? try_flock(fd.value().get(), LOCK_EX, name) : false;
        if (locked && locked.value()) {
            (void)::unlinkat(dir_.get(), name.c_str(), AT_REMOVEDIR);
        }
    }
}

}  // namespace warren::state::oci
