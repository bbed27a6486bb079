#include "runtime/state/files.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

namespace warren::state {

namespace {

using base::Fd;
using base::Result;
using base::Status;

struct DirCloser {
    void operator()(DIR* dir) const { (void)::closedir(dir); }
};

bool is_kind(int dir, const struct dirent& entry, EntryKind kind) {
    if (entry.d_type != DT_UNKNOWN) {
        return entry.d_type == (kind == EntryKind::Directory ? DT_DIR : DT_REG);
    }
    struct stat info = {};
    if (::fstatat(dir, entry.d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return false;
    }
    return kind == EntryKind::Directory ? S_ISDIR(info.st_mode) : S_ISREG(info.st_mode);
}

// "/a/b/" -> "/a"; empty when there is nothing above.
std::string parent_of(std::string_view path) {
    const auto end = path.find_last_not_of('/');
    if (end == std::string_view::npos) {
        return "";
    }
    const auto slash = path.substr(0, end + 1).rfind('/');
    return std::string(slash == std::string_view::npos ? "" : path.substr(0, slash));
}

}  // namespace

Result<std::vector<std::string>> list_entries(int at, const std::string& path, EntryKind kind) {
    Fd fd = TRY(base::open_dir(at, path));
    const std::unique_ptr<DIR, DirCloser> dir(::fdopendir(fd.get()));
    if (!dir) {
        return base::errno_error("list " + path);
    }
    (void)fd.release();
    std::vector<std::string> names;
    for (;;) {
        errno = 0;
        const struct dirent* entry = ::readdir(dir.get());
        if (entry == nullptr) {
            if (errno != 0) {
                return base::errno_error("list " + path);
            }
            return names;
        }
        const std::string_view name(entry->d_name);
        if (name != "." && name != ".." && is_kind(::dirfd(dir.get()), *entry, kind)) {
            names.emplace_back(name);
        }
    }
}

Result<std::vector<base::Name>> guests_with_files(const std::string& directory,
                                                  std::string_view suffix) {
    std::vector<base::Name> names;
    const auto entries = list_entries(AT_FDCWD, directory, EntryKind::File);
    if (!entries) {
        if (entries.error().error_number() == ENOENT) {
            return names;
        }
        return entries.error();
    }
    for (const std::string_view entry : entries.value()) {
        if (!entry.ends_with(suffix)) {
            continue;
        }
        if (auto name = base::Name::parse_guest(entry.substr(0, entry.size() - suffix.size()))) {
            names.push_back(std::move(name).value());
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

Result<Fd> make_and_open(const std::string& path, mode_t mode) {
    constexpr mode_t kParentMode = 0755;
    for (int tries = 1;; ++tries) {
        auto opened = base::open_dir(AT_FDCWD, path);
        if (opened || opened.error().error_number() != ENOENT || tries == kMaxVanished) {
            return opened;
        }
        if (const auto parent = parent_of(path); !parent.empty()) {
            TRY(base::make_dirs(AT_FDCWD, parent, kParentMode));
        }
        const auto made = base::make_dirs(AT_FDCWD, path, mode);
        if (!made && made.error().error_number() != ENOENT) {
            return made.error();
        }
    }
}

Result<std::string> record_text(const base::Json& json) {
    constexpr int kIndent = 2;
    auto text = base::dump_json(json, kIndent) + "\n";
    if (text.size() > kMaxRecord) {
        return base::usage_error("the record is larger than " + std::to_string(kMaxRecord) +
                                 " bytes");
    }
    return text;
}

Result<std::optional<Fd>> open_record(int at, const std::string& path) {
    // O_NONBLOCK: should something else than a file have the name, nobody waits for its other end.
    auto fd = base::open_at(
        at, path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW, 0, base::Resolve::Plain);
    if (fd) {
        return std::optional<Fd>(std::move(fd).value());
    }
    if (fd.error().error_number() == ENOENT) {
        return std::optional<Fd>();
    }
    return std::move(fd).error();
}

Result<std::string> read_record(int fd, std::size_t limit, const std::string& path) {
    std::array<char, 4096>
        start;  // NOLINT(cppcoreguidelines-pro-type-member-init): read(2) fills what is used
    ssize_t got = 0;
    do {
        got = ::read(fd, start.data(), start.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return base::errno_error("read " + path);
    }
    const auto size = static_cast<std::size_t>(got);
    if (size < start.size() && size <= limit) {
        return std::string(start.data(), size);
    }
    if (::lseek(fd, 0, SEEK_SET) != 0) {
        return base::errno_error("read " + path);
    }
    return base::read_all(fd, limit, path);
}

Status sync_dir(int at, const std::string& path) {
    const Fd dir = TRY(base::open_dir(at, path));
    if (::fsync(dir.get()) != 0) {
        return base::errno_error("sync directory " + path);
    }
    return base::ok();
}

}  // namespace warren::state
