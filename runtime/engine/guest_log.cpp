#include "runtime/engine/guest_log.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <fcntl.h>
#include <linux/falloc.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/engine/tame.hpp"

namespace warren::engine {

namespace {

constexpr off_t kLogOffsetMax = off_t{1} << 30;
constexpr std::uint64_t kBlock = 4096;

// The file under the guest's directory; never a link, whatever else stands there.
base::Result<base::Fd> open_existing(const Context& context, const base::Name& name, int flags) {
    const auto dir = TRY(context.store.guest_dir(name));
    return base::open_at(dir.get(), "log", flags | O_NOFOLLOW | O_NONBLOCK);
}

off_t first_data(int fd, off_t from) {
    const off_t data = ::lseek(fd, from, SEEK_DATA);
    return data < 0 ? from : data;
}

// Where the last `lines` lines begin, not before `begin`.
off_t find_last_lines(int fd, off_t begin, off_t end, std::uint64_t lines) {
    std::array<char, 65536> block{};
    std::uint64_t seen = 0;
    off_t position = end;
    bool at_end = true;
    while (position > begin) {
        const off_t start = std::max(begin, position - static_cast<off_t>(block.size()));
        const ssize_t got =
            ::pread(fd, block.data(), static_cast<std::size_t>(position - start), start);
        if (got <= 0) {
            return begin;
        }
        for (ssize_t i = got; i > 0; --i) {
            const bool newline = block.at(static_cast<std::size_t>(i - 1)) == '\n';
            if (newline && !at_end && ++seen == lines) {
                return start + i;
            }
            at_end = false;
        }
        position = start;
    }
    return begin;
}

// After a hole the first line is a torn one: begin behind its end.
off_t skip_torn_line(int fd, off_t begin) {
    std::array<char, 4096> block{};
    const ssize_t got = ::pread(fd, block.data(), block.size(), begin);
    for (ssize_t i = 0; i < got; ++i) {
        if (block.at(static_cast<std::size_t>(i)) == '\n') {
            return begin + i + 1;
        }
    }
    return begin;
}

// True when `out_fd` still has a reader.
bool reader_there(int out_fd) {
    pollfd poll_fd{out_fd, 0, 0};
    return ::poll(&poll_fd, 1, 0) <= 0 || (poll_fd.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0;
}

// The log on its way out; what goes to a terminal is tamed.
class Printer {
public:
    Printer(int fd, int out_fd) : fd_(fd), out_fd_(out_fd), terminal_(::isatty(out_fd) == 1) {}

    // Everything from `position` on; the position after it.
    [[nodiscard]] base::Result<off_t> print_from(off_t position) {
        std::vector<char> block(1U << 16U);
        for (;;) {
            position = first_data(fd_, position);
            const ssize_t got = ::pread(fd_, block.data(), block.size(), position);
            if (got < 0) {
                return base::errno_error("read log");
            }
            if (got == 0) {
                return position;
            }
            const std::string_view text(block.data(), static_cast<std::size_t>(got));
            if (terminal_) {
                TRY(base::write_all(out_fd_, tamer_.tame(text), "standard output"));
            } else {
                TRY(base::write_all(out_fd_, text, "standard output"));
            }
            position += got;
        }
    }

private:
    int fd_;
    int out_fd_;
    bool terminal_;
    TerminalTamer tamer_;
};

}  // namespace

base::Result<base::Fd> open_log(const Context& context,
                                const base::Name& name,
                                std::uint32_t uid,
                                std::uint32_t gid) {
    const auto dir = TRY(context.store.guest_dir(name));
    auto fd =
        TRY(base::open_at(dir.get(), "log", O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0600));

    struct stat status {};

    if (::fstat(fd.get(), &status) != 0) {
        return base::errno_error("look up log of " + name.str());
    }
    if ((status.st_uid != uid || status.st_gid != gid) && ::fchown(fd.get(), uid, gid) != 0) {
        return base::errno_error("hand log of " + name.str() + " to its guest");
    }
    if (status.st_size > kLogOffsetMax && ::ftruncate(fd.get(), 0) != 0) {
        return base::errno_error("start log of " + name.str() + " over");
    }
    return fd;
}

void trim_log_file(int fd) {
    struct stat status {};

    if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
        static_cast<std::uint64_t>(status.st_blocks) * 512 <= kLogBytesMax) {
        return;
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    const std::uint64_t keep = kLogBytesMax / 2;
    if (size <= keep) {
        return;
    }
    const auto hole = static_cast<off_t>((size - keep) / kBlock * kBlock);
    (void)::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, hole);
}

void trim_log(const Context& context, const base::Name& name) {
    if (const auto fd = open_existing(context, name, O_WRONLY)) {
        trim_log_file(fd.value().get());
    }
}

base::Status write_log(const Context& context,
                       const base::Name& name,
                       std::optional<std::uint64_t> last_lines,
                       bool follow,
                       int out_fd,
                       const std::function<bool()>& alive) {
    trim_log(context, name);
    auto opened = open_existing(context, name, O_RDONLY);
    if (!opened && opened.error().error_number() != ENOENT) {
        return std::move(opened).error();
    }
    if (!opened) {
        return base::ok();  // it has printed nothing yet
    }
    const base::Fd fd = std::move(opened).value();

    struct stat status {};

    if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return base::fail("log of " + name.str() + " is not a regular file");
    }
    off_t position = first_data(fd.get(), 0);
    if (position > 0) {
        position = skip_torn_line(fd.get(), position);
    }
    if (last_lines) {
        position = *last_lines == 0
                       ? status.st_size
                       : find_last_lines(fd.get(), position, status.st_size, *last_lines);
    }
    Printer printer(fd.get(), out_fd);
    position = TRY(printer.print_from(position));
    while (follow && reader_there(out_fd)) {
        const bool last_round = !alive();
        if (::fstat(fd.get(), &status) == 0 && status.st_size < position) {
            position = 0;  // started over
        }
        position = TRY(printer.print_from(position));
        if (last_round) {
            break;
        }
        (void)::poll(nullptr, 0, 200);
    }
    return base::ok();
}

}  // namespace warren::engine
