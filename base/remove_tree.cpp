// remove_tree_at(): see base/fd.hpp.
//
// The walk keeps at most kMaxOpen directories open. A directory below that which is not empty is
// renamed to a directory further up and met again there, so depth costs renames and not
// descriptors, stack or long paths, and no step ever goes through "..", which a writer in the tree
// could have moved elsewhere.
#include <memory>
#include <optional>

#include <dirent.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "base/openat2.hpp"

namespace warren::base {

namespace {

constexpr std::size_t kMaxOpen = 32;

struct StreamCloser {
    void operator()(DIR* dir) const { (void)::closedir(dir); }
};

using Stream = std::unique_ptr<DIR, StreamCloser>;

// A mount point that the walk met without entering it, such as a file's, shows as EBUSY.
Error refusal(int error_number, std::string what) {
    const auto kind = error_number == EBUSY ? ErrorKind::Busy : ErrorKind::Failed;
    return {kind, error_number, std::move(what)};
}

// One open directory of the walk. The first level is the tree's top.
struct Level {
    std::string name;  // in the level above
    Stream stream;
    bool removed_some = false;  // in this scan: names may have been skipped, so scan again
    bool moved_in = false;      // a deep directory was renamed into this one during this scan
    bool failed = false;        // something in here stays, and has been reported

    [[nodiscard]] int fd() const { return ::dirfd(stream.get()); }
};

class TreeRemover {
public:
    TreeRemover(int parent, const std::string& name, std::string shown)
        : parent_(parent), shown_(std::move(shown)) {
        remove_entry(name, DT_UNKNOWN);
    }

    Status run() {
        while (!levels_.empty()) {
            errno = 0;
            const struct dirent* entry = ::readdir(levels_.back().stream.get());
            if (entry == nullptr) {
                finish_scan(errno);
                continue;
            }
            const std::string name(entry->d_name);
            if (name != "." && name != "..") {
                remove_entry(name, entry->d_type);
            }
        }
        if (!error_) {
            return ok();
        }
        if (more_) {
            error_->add_secondary(fail("other entries stay too"));
        }
        return std::move(*error_);
    }

private:
    [[nodiscard]] int current_fd() const { return levels_.empty() ? parent_ : levels_.back().fd(); }

    [[nodiscard]] std::string shown_path(const std::string& name) const {
        std::string path = shown_;
        for (std::size_t i = 1; i < levels_.size(); ++i) {
            path += "/" + levels_[i].name;
        }
        return levels_.empty() ? path : path + "/" + name;
    }

    void record(const std::string& name, Error error) {
        auto whole = std::move(error).with_context("remove " + shown_path(name));
        if (!error_) {
            error_ = std::move(whole);
        } else if (whole.describe() != error_->describe()) {  // not the same one in a later scan
            more_ = true;
        }
        if (!levels_.empty()) {
            levels_.back().failed = true;
        }
    }

    void removed() {
        if (!levels_.empty()) {
            levels_.back().removed_some = true;
        }
    }

    void remove_entry(const std::string& name, unsigned char type) {
        if (type != DT_DIR) {
            if (::unlinkat(current_fd(), name.c_str(), 0) == 0) {
                removed();
                return;
            }
            if (errno == ENOENT) {
                return;
            }
            if (errno != EISDIR) {
                record(name, refusal(errno, "unlink"));
                return;
            }
        }
        // An empty one needs no walk; whatever else is the matter with it, the walk tells.
        if (::unlinkat(current_fd(), name.c_str(), AT_REMOVEDIR) == 0) {
            removed();
        } else if (levels_.size() < kMaxOpen) {
            descend(name);
        } else {
            lift(name, errno);
        }
    }

    void descend(const std::string& name) {
        // RESOLVE_NO_XDEV stops at bind mounts of the same file system too, where st_dev would not
        // tell; and it lets btrfs subvolumes pass, which are no mounts and go like directories.
        Fd fd(openat2_retrying(current_fd(),
                               name.c_str(),
                               O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
                               0,
                               RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH));
        if (!fd) {
            if (errno == EXDEV) {
                record(name, Error(ErrorKind::Busy, "something is mounted there"));
            } else if (errno != ENOENT) {
                record(name, errno_error("open"));
            }
            return;
        }
        Stream stream(::fdopendir(fd.get()));
        if (!stream) {
            record(name, errno_error("open"));
            return;
        }
        (void)fd.release();
        levels_.push_back(Level{name, std::move(stream)});
    }

    // At the depth limit, a directory whose removal failed so: renames a full one as far up as it
    // may go. An ancestor may refuse (EXDEV: another quota project; EPERM: immutable), the next one
    // may not.
    void lift(const std::string& name, int refused) {
        if (refused != ENOTEMPTY && refused != EEXIST) {
            if (refused != ENOENT) {
                record(name, refusal(refused, "remove directory"));
            }
            return;
        }
        Error last = errno_error(refused, "move up");
        for (std::size_t i = 0; i + 1 < levels_.size(); ++i) {
            const int error_number = rename_into(levels_[i].fd(), name);
            if (error_number == 0) {
                removed();
                levels_[i].moved_in = true;
                return;
            }
            last = errno_error(error_number, "move up");
        }
        record(name, std::move(last));
    }

    int rename_into(int target, const std::string& name) {
        for (;;) {
            const auto lifted = ".lifted-" + std::to_string(lifted_++);
            // Should this replace something, that was in the tree as well and had to go.
            if (::renameat(current_fd(), name.c_str(), target, lifted.c_str()) == 0) {
                return 0;
            }
            if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR) {
                return errno;
            }
        }
    }

    void finish_scan(int scan_error) {
        Level& level = levels_.back();
        const std::string name = level.name;
        if (scan_error != 0) {
            (void)pop();
            record(name, errno_error(scan_error, "list"));
            return;
        }
        const bool again = level.moved_in || (level.removed_some && !level.failed);
        const int parent = levels_.size() == 1 ? parent_ : levels_[levels_.size() - 2].fd();
        if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) {
            (void)pop();
            removed();
            return;
        }
        const int error_number = errno;
        const bool not_empty = error_number == ENOTEMPTY || error_number == EEXIST;
        if (not_empty && again) {
            level.moved_in = false;
            level.removed_some = false;
            level.failed = false;
            ::rewinddir(level.stream.get());
            return;
        }
        const Level stays = pop();
        if (not_empty && stays.failed) {
            // What keeps it has been reported; the directories above stay for the same reason.
            if (!levels_.empty()) {
                levels_.back().failed = true;
            }
            return;
        }
        record(name, refusal(error_number, "remove directory"));
    }

    Level pop() {
        Level level = std::move(levels_.back());
        levels_.pop_back();
        return level;
    }

    int parent_;
    std::string shown_;
    std::vector<Level> levels_;
    std::uint64_t lifted_ = 0;
    std::optional<Error> error_;
    bool more_ = false;  // there were others after error_
};

}  // namespace

Status remove_tree_at(int at, const std::string& path) {
    const auto end = path.find_last_not_of('/');
    const auto whole = end == std::string::npos ? std::string() : path.substr(0, end + 1);
    const auto slash = whole.rfind('/');
    const auto name = slash == std::string::npos ? whole : whole.substr(slash + 1);
    if (name.empty() || name == "." || name == ".." || path.find('\0') != std::string::npos) {
        return errno_error(EINVAL, "remove " + path);
    }
    if (slash == std::string::npos) {
        return TreeRemover(at, name, path).run();
    }
    auto parent = open_at(at, whole.substr(0, slash + 1), O_PATH | O_DIRECTORY);
    if (!parent) {
        if (parent.error().error_number() == ENOENT) {
            return ok();
        }
        return std::move(parent).error();
    }
    return TreeRemover(parent.value().get(), name, path).run();
}

}  // namespace warren::base
