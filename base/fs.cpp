#include <algorithm>
#include <climits>
#include <memory>

#include <dirent.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fd.hpp"

namespace warren::base {

namespace {

Status check_path(const std::string& path, const char* verb) {
    if (path.find('\0') != std::string::npos) {
        return errno_error(EINVAL, std::string(verb) + " " + path);
    }
    return ok();
}

struct DirCloser {
    void operator()(DIR* dir) const { (void)::closedir(dir); }
};

using DirStream = std::unique_ptr<DIR, DirCloser>;

// True when the directory was made, false when something has the name already.
Result<bool> make_dir(int at, const std::string& path, mode_t mode) {
    if (::mkdirat(at, path.c_str(), mode) == 0) {
        if (::fchmodat(at, path.c_str(), mode, 0) != 0) {
            return errno_error("change mode of " + path);
        }
        return true;
    }
    if (errno == EEXIST) {
        return false;
    }
    return errno_error("make directory " + path);
}

Status require_dir(int at, const std::string& path) {
    struct stat info = {};
    if (::fstatat(at, path.c_str(), &info, 0) != 0) {
        return errno_error("make directory " + path);
    }
    if (!S_ISDIR(info.st_mode)) {
        return errno_error(ENOTDIR, "make directory " + path);
    }
    return ok();
}

}  // namespace

Status make_dirs(int at, const std::string& path, mode_t mode) {
    TRY(check_path(path, "make directory"));
    const auto whole = make_dir(at, path, mode);
    if (whole) {
        return whole.value() ? Status(ok()) : require_dir(at, path);
    }
    if (whole.error().error_number() != ENOENT) {
        return whole.error();
    }
    for (std::size_t start = 0; start < path.size();) {
        const auto slash = std::min(path.find('/', start), path.size());
        if (slash > start) {
            const auto prefix = path.substr(0, slash);
            if (!TRY(make_dir(at, prefix, mode)) && slash == path.size()) {
                return require_dir(at, prefix);
            }
        }
        start = slash + 1;
    }
    // Only an empty path, or one that ends in a slash, gets here without having tried the whole.
    return require_dir(at, path);
}

Result<std::string> read_all(int fd, std::size_t limit, const std::string& name) {
    constexpr std::size_t kFirst = 4096;
    std::string text;
    std::size_t used = 0;
    for (;;) {
        if (used == text.size()) {
            // One byte over the limit tells "just fits" from "too large".
            text.resize(std::min(std::max(kFirst, used * 2), limit + 1));
        }
        const ssize_t got = ::read(fd, text.data() + used, text.size() - used);
        if (got < 0) {
            if (errno == EINTR) {
                continue;
            }
            return errno_error("read " + name);
        }
        if (got == 0) {
            text.resize(used);
            return text;
        }
        used += static_cast<std::size_t>(got);
        if (used > limit) {
            return errno_error(
                EFBIG, "read " + name + ": larger than " + std::to_string(limit) + " bytes");
        }
    }
}

Result<std::string> read_file_at(int at,
                                 const std::string& path,
                                 std::size_t limit,
                                 Resolve resolve) {
    const Fd fd = TRY(open_at(at, path, O_RDONLY | O_NOCTTY, 0, resolve));
    return read_all(fd.get(), limit, path);
}

Status write_knob_at(int at, const std::string& path, std::string_view text) {
    const Fd fd = TRY(open_at(at, path, O_WRONLY | O_NOCTTY));
    for (;;) {
        const ssize_t wrote = ::write(fd.get(), text.data(), text.size());
        if (wrote == static_cast<ssize_t>(text.size())) {
            return ok();
        }
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        // The kernel takes a knob's value whole or not at all; a part of it would be another value.
        const int error_number = wrote < 0 ? errno : EIO;
        constexpr std::size_t kShown = 64;
        auto what = "write \"" + std::string(text.substr(0, kShown));
        while (what.ends_with('\n')) {
            what.pop_back();
        }
        what += text.size() > kShown ? "...\" to " : "\" to ";
        return errno_error(error_number, what + path);
    }
}

Status write_all(int fd, std::string_view text, const std::string& name) {
    while (!text.empty()) {
        const ssize_t wrote = ::write(fd, text.data(), text.size());
        if (wrote < 0) {
            if (errno == EINTR) {
                continue;
            }
            return errno_error("write " + name);
        }
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return ok();
}

Result<std::vector<std::string>> list_dir(int at, const std::string& path) {
    Fd fd = TRY(open_dir(at, path));
    const DirStream dir(::fdopendir(fd.get()));
    if (!dir) {
        return errno_error("list " + path);
    }
    (void)fd.release();
    std::vector<std::string> names;
    for (;;) {
        errno = 0;
        const struct dirent* entry = ::readdir(dir.get());
        if (entry == nullptr) {
            if (errno != 0) {
                return errno_error("list " + path);
            }
            return names;
        }
        const std::string_view name(entry->d_name);
        if (name != "." && name != "..") {
            names.emplace_back(name);
        }
    }
}

Status remove_file_at(int at, const std::string& path) {
    TRY(check_path(path, "remove"));
    if (::unlinkat(at, path.c_str(), 0) != 0 && errno != ENOENT) {
        return errno_error("remove " + path);
    }
    return ok();
}

Result<bool> exists_at(int at, const std::string& path) {
    TRY(check_path(path, "look up"));
    struct stat info = {};
    if (::fstatat(at, path.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
        return true;
    }
    if (errno == ENOENT || errno == ENOTDIR) {
        return false;
    }
    return errno_error("look up " + path);
}

Result<std::string> read_link_at(int at, const std::string& path) {
    TRY(check_path(path, "read link"));
    std::string target(PATH_MAX, '\0');
    const ssize_t length = ::readlinkat(at, path.c_str(), target.data(), target.size());
    if (length < 0) {
        return errno_error("read link " + path);
    }
    if (static_cast<std::size_t>(length) == target.size()) {
        return errno_error(ENAMETOOLONG, "read link " + path);
    }
    target.resize(static_cast<std::size_t>(length));
    return target;
}

}  // namespace warren::base
