// The store's directories and locks. Records: store_guests.cpp, store_runs.cpp; id ranges: store_leases.cpp.
#include "runtime/state/store.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/state/files.hpp"

namespace warren::state {

namespace {

using base::Fd;
using base::FileLock;
using base::Name;
using base::Result;
using base::Status;

using Clock = std::chrono::steady_clock;

constexpr mode_t kPassable = 0711;
constexpr mode_t kPrivate = 0700;

std::string lock_path(const Name& name) {
    return "locks/" + name.str();
}

// Whether a descriptor of ours is open on this file: then we hold its lock, for nobody opens a lock file otherwise.
bool is_open_here(const struct stat& file) {
    const auto numbers = base::list_dir(AT_FDCWD, "/proc/self/fd");
    if (!numbers) {
        return false;
    }
    return std::any_of(
        numbers.value().begin(), numbers.value().end(), [&file](const std::string& text) {
            int fd = -1;
            struct stat open = {};
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), fd);
            return error == std::errc() && ::fstat(fd, &open) == 0 && open.st_dev == file.st_dev &&
                   open.st_ino == file.st_ino;
        });
}

// rmdir(2) when nothing is in it.
Status remove_if_empty(int at, const std::string& path) {
    if (::unlinkat(at, path.c_str(), AT_REMOVEDIR) == 0) {
        return base::ok();
    }
    const std::set<int> stays{ENOENT, ENOTEMPTY, EEXIST, EBUSY, ENOTDIR};
    if (stays.contains(errno)) {
        return base::ok();
    }
    return base::errno_error("remove directory " + path);
}

}  // namespace

Result<Store> Store::open(const StorePaths& paths, bool create) {
    if (paths.root.empty() || paths.run.empty()) {
        return base::usage_error("expected a directory, found nothing")
            .with_place(paths.root.empty() ? "--root" : "--run");
    }
    if (!create) {
        auto root = base::open_dir(AT_FDCWD, paths.root);
        if (!root && root.error().error_number() != ENOENT) {
            return std::move(root).error();
        }
        return Store(paths, root ? std::move(root).value() : Fd());
    }
    Fd root = TRY(make_and_open(paths.root, kPassable));
    const std::pair<const char*, mode_t> parts[] = {
        {"guests", kPassable}, {"leases", kPrivate}, {"cache", kPrivate}};
    for (const auto& [part, mode] : parts) {
        TRY(base::with_context(base::make_dirs(root.get(), part, mode), paths.root));
    }
    return Store(paths, std::move(root));
}

Result<int> Store::require_root() const {
    if (!root_) {
        return base::Error(base::ErrorKind::NotFound, ENOENT, "open directory " + paths_.root);
    }
    return root_.get();
}

Result<Fd> Store::run_dir() const {
    return make_and_open(paths_.run, kPrivate);
}

Result<Fd> Store::open_run(const char* part) const {
    for (int tries = 1;; ++tries) {
        const auto path = paths_.run + "/" + part;
        auto opened = base::open_dir(AT_FDCWD, path);
        if (opened || opened.error().error_number() != ENOENT || tries == kMaxVanished) {
            return opened;
        }
        const Fd run = TRY(run_dir());
        const auto made = base::make_dirs(run.get(), part, kPrivate);
        // ENOENT: another guest's tidy() has removed the directory we opened a moment ago.
        if (!made && made.error().error_number() != ENOENT) {
            return base::Error(made.error()).with_context(paths_.run);
        }
    }
}

Result<Fd> Store::cache_dir() const {
    const int root = TRY(require_root());
    TRY(base::with_context(base::make_dirs(root, "cache", kPrivate), paths_.root));
    return base::with_context(base::open_dir(root, "cache"), paths_.root);
}

Result<FileLock> Store::lock(const Name& name,
                             base::LockMode mode,
                             std::chrono::milliseconds timeout) const {
    constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24 * 365);
    const auto deadline =
        Clock::now() + std::clamp(timeout, std::chrono::milliseconds(0), kLongest);
    for (int tries = 1;; ++tries) {
        const Fd locks = TRY(open_run("locks"));
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        auto lock = FileLock::acquire(
            locks.get(), name.str(), mode, std::max(left, std::chrono::milliseconds(0)));
        if (lock) {
            return lock;
        }
        if (lock.error().kind() == base::ErrorKind::Busy) {
            return base::Error(base::ErrorKind::Busy,
                               "lock guest " + name.str() + ": another command is at work on it");
        }
        // ENOENT: the directory was removed as empty between our opening it and making the file.
        if (lock.error().error_number() != ENOENT || tries == kMaxVanished) {
            return std::move(lock).error().with_context(paths_.run + "/locks");
        }
    }
}

Result<std::vector<Name>> Store::lock_names() const {
    return guests_with_files(paths_.run + "/locks", "");
}

Result<bool> Store::is_locked(const Name& name) const {
    const auto path = paths_.run + "/" + lock_path(name);
    const auto file = base::open_at(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW);
    if (!file) {
        if (file.error().error_number() == ENOENT) {
            return false;
        }
        return file.error();
    }
    while (::flock(file.value().get(), LOCK_SH | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            return true;
        }
        if (errno != EINTR) {
            return base::errno_error("lock " + path);
        }
    }
    return false;
}

Status Store::remove_lock_files(int run, const Name& name) const {
    for (const std::string part : {"guests", kVolatileRecords}) {
        const auto unfinished = part + "/" + name.str() + ".json.tmp";
        TRY(base::with_context(base::remove_file_at(run, unfinished), paths_.run));
    }
    return base::with_context(base::remove_file_at(run, lock_path(name)), paths_.run);
}

Status Store::remove_lock(const Name& name, FileLock /*lock*/) const {
    const Fd run = TRY(base::open_dir(AT_FDCWD, paths_.run));
    return remove_lock_files(run.get(), name);
}

Status Store::tidy(const Name& name) const {
    const auto opened = base::open_dir(AT_FDCWD, paths_.run);
    if (!opened) {
        return opened.error().error_number() == ENOENT ? Status(base::ok())
                                                       : Status(opened.error());
    }
    const int run = opened.value().get();
    struct stat lock_file = {};
    if (::fstatat(run, lock_path(name).c_str(), &lock_file, AT_SYMLINK_NOFOLLOW) == 0 &&
        is_open_here(lock_file)) {
        TRY(remove_lock_files(run, name));
    }
    TRY(base::with_context(remove_if_empty(run, "guests"), paths_.run));
    TRY(base::with_context(remove_if_empty(run, kVolatileRecords), paths_.run));
    TRY(base::with_context(remove_if_empty(run, "locks"), paths_.run));
    // Not ours to insist on: its parent may refuse, and an empty directory there harms nobody.
    (void)remove_if_empty(AT_FDCWD, paths_.run);
    return base::ok();
}

}  // namespace warren::state
