// Owned file descriptors. Every descriptor is close-on-exec from birth: open(2) O_CLOEXEC and its
// kin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/result.hpp"

namespace warren::base {

// A move-only owner of one descriptor; -1 is empty. The destructor closes and ignores the error.
class Fd {
public:
    Fd() = default;

    explicit Fd(int fd) : fd_(fd) {}

    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) {
            reset(std::exchange(other.fd_, -1));
        }
        return *this;
    }

    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;

    ~Fd() { reset(); }

    [[nodiscard]] int get() const { return fd_; }

    [[nodiscard]] bool valid() const { return fd_ >= 0; }

    explicit operator bool() const { return valid(); }

    [[nodiscard]] int release() { return std::exchange(fd_, -1); }

    void reset(int fd = -1);
    // A second descriptor of the same open file (F_DUPFD_CLOEXEC).
    [[nodiscard]] Result<Fd> duplicate() const;

private:
    int fd_ = -1;
};

// How a path is resolved under a directory that somebody else may write to (openat2(2), Linux 5.6).
enum class Resolve : std::uint64_t {
    Plain = 0,   // as openat(2): only where every component is ours
    NoSymlinks,  // no symbolic or magic link anywhere, and never above the directory
    InRoot,      // the directory is "/": links are followed inside it; magic links are refused
};

// In all of these `at` is AT_FDCWD or a directory, the error names the path, and a path with a NUL
// byte in it is refused (EINVAL). EINTR is retried.

// O_CLOEXEC is added. With NoSymlinks or InRoot an absolute path is refused or means the directory
// itself. EAGAIN: the tree was being renamed under the walk, again and again.
[[nodiscard]] Result<Fd> open_at(
    int at, const std::string& path, int flags, mode_t mode = 0, Resolve resolve = Resolve::Plain);
[[nodiscard]] Result<Fd> open_dir(int at,
                                  const std::string& path,
                                  Resolve resolve = Resolve::Plain);

// Creates the missing directories of `path` (mkdir -p) with exactly `mode`, whatever the umask;
// existing ones keep theirs.
[[nodiscard]] Status make_dirs(int at, const std::string& path, mode_t mode);

// A file's whole content, at most `limit` bytes (more is an error that says so). Works on procfs
// and cgroupfs.
[[nodiscard]] Result<std::string> read_file_at(int at,
                                               const std::string& path,
                                               std::size_t limit = 1U << 20,
                                               Resolve resolve = Resolve::Plain);
[[nodiscard]] Result<std::string> read_all(int fd, std::size_t limit, const std::string& name);
// One write(2) of the whole text to an existing file: for knobs in procfs, sysfs and cgroupfs.
[[nodiscard]] Status write_knob_at(int at, const std::string& path, std::string_view text);
// All of it, whatever write(2) takes at once.
[[nodiscard]] Status write_all(int fd, std::string_view text, const std::string& name);

enum class Durability : std::uint8_t {
    Volatile,  // temp + rename: survives a crash of the writer (/run)
    Durable,   // temp + fsync + rename + fsync of the directory: survives a power cut (/var/lib)
};
// Replaces a file in one step; a reader sees the old content or the new. The new one has exactly
// `mode`. The temporary is NAME.tmp, locked by flock(2) while it is written: writers of one name
// take turns, and what a crashed writer left is written over by the next. Whoever lists the
// directory skips names ending in ".tmp".
[[nodiscard]] Status replace_file_at(
    int dir, const std::string& name, std::string_view text, mode_t mode, Durability durability);

// Names in a directory without "." and "..", unsorted. One scan.
[[nodiscard]] Result<std::vector<std::string>> list_dir(int at, const std::string& path);

// unlink(2); an absent file is success.
[[nodiscard]] Status remove_file_at(int at, const std::string& path);
// rm -rf below `at`, for trees that a guest wrote: follows no link, enters no mount (a mount point,
// `path` itself included, is an error of kind Busy), and needs neither stack nor descriptors in
// proportion to the depth. What cannot be removed (chattr +i) is left and the rest goes; the error
// is the first, and says whether there are more. Nobody may still be adding to the tree. The last
// component must be a name. An absent tree is success.
[[nodiscard]] Status remove_tree_at(int at, const std::string& path);

// Whether the name exists; a dangling link does.
[[nodiscard]] Result<bool> exists_at(int at, const std::string& path);
[[nodiscard]] Result<std::string> read_link_at(int at, const std::string& path);

// "/proc/self/fd/N": to hand an open file to an interface that only takes paths.
[[nodiscard]] std::string proc_fd_path(int fd);

}  // namespace warren::base
