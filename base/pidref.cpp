#include "base/pidref.hpp"

#include <algorithm>
#include <climits>

#include <poll.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/units.hpp"

namespace warren::base {

namespace {

Error gone(pid_t pid) {
    return {ErrorKind::NotFound, ESRCH, "find process " + std::to_string(pid)};
}

// The fields from number 3 (state) on; the name before them may hold blanks and brackets.
std::vector<std::string_view> fields_after_name(std::string_view stat) {
    std::vector<std::string_view> fields;
    const auto name_end = stat.rfind(')');
    if (name_end == std::string_view::npos) {
        return fields;
    }
    stat.remove_prefix(name_end + 1);
    for (;;) {
        const auto start = stat.find_first_not_of(" \n");
        if (start == std::string_view::npos) {
            return fields;
        }
        stat.remove_prefix(start);
        const auto end = std::min(stat.find_first_of(" \n"), stat.size());
        fields.push_back(stat.substr(0, end));
        stat.remove_prefix(end);
    }
}

// Whether it has ended: a pidfd is readable from then on.
bool has_exited(int pidfd) {
    struct pollfd polled = {pidfd, POLLIN, 0};
    return ::poll(&polled, 1, 0) > 0;
}

}  // namespace

Result<PidIdentity> identify(const PidRef& process) {
    constexpr decltype(statfs::f_type) kPidfsMagic = 0x50494446;  // linux/magic.h, Linux 6.14
    PidIdentity identity = TRY(identify(process.pid()));
    struct statfs file_system = {};
    struct stat file = {};
    if (sizeof(file.st_ino) == sizeof(std::uint64_t) &&
        ::fstatfs(process.pidfd(), &file_system) == 0 && file_system.f_type == kPidfsMagic &&
        ::fstat(process.pidfd(), &file) == 0) {
        identity.pidfd_inode = file.st_ino;
    }
    return identity;
}

Result<PidIdentity> identify(pid_t pid) {
    constexpr std::size_t kStateField = 0;
    constexpr std::size_t kStartTimeField = 22 - 3;
    if (pid <= 0) {
        return gone(pid);
    }
    const auto path = "/proc/" + std::to_string(pid) + "/stat";
    const auto text = read_file_at(AT_FDCWD, path);
    if (!text) {
        const int error_number = text.error().error_number();
        if (error_number == ENOENT || error_number == ESRCH) {
            return gone(pid);
        }
        return text.error();
    }
    const auto fields = fields_after_name(text.value());
    if (fields.size() <= kStartTimeField) {
        return fail("read " + path + ": too few fields");
    }
    const auto state = fields[kStateField];
    if (state == "Z" || state == "X") {
        return gone(pid);
    }
    const auto start_time = TRY(parse_uint(fields[kStartTimeField], 0, UINT64_MAX));
    return PidIdentity{pid, start_time};
}

Result<std::string> boot_id() {
    // One for as long as we run.
    static const auto id = []() -> Result<std::string> {
        auto text = TRY(read_file_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 128));
        while (text.ends_with('\n')) {
            text.pop_back();
        }
        return text;
    }();
    return id;
}

Result<std::optional<PidRef>> PidRef::open(const PidIdentity& identity) {
    std::optional<PidRef> found;
    if (identity.pid <= 0) {
        return found;
    }
    const long fd = ::syscall(SYS_pidfd_open, identity.pid, 0);
    if (fd < 0) {
        // EINVAL and, since Linux 6.15, ENOENT: the number now belongs to a thread that leads no
        // process.
        if (errno == ESRCH || errno == EINVAL || errno == ENOENT) {
            return found;
        }
        return errno_error("open process " + std::to_string(identity.pid));
    }
    Fd pidfd(static_cast<int>(fd));
    if (identity.pidfd_inode != 0) {
        struct stat file = {};
        if (::fstat(pidfd.get(), &file) != 0) {
            return errno_error("look up process " + std::to_string(identity.pid));
        }
        if (file.st_ino == identity.pidfd_inode && !has_exited(pidfd.get())) {
            found.emplace(identity.pid, std::move(pidfd));
        }
        return found;
    }
    const auto now = identify(identity.pid);
    if (!now) {
        if (now.error().kind() == ErrorKind::NotFound) {
            return found;
        }
        return now.error();
    }
    if (now.value() == identity) {
        found.emplace(identity.pid, std::move(pidfd));
    }
    return found;
}

Status PidRef::signal(int signal_number) const {
    if (::syscall(SYS_pidfd_send_signal, pidfd(), signal_number, nullptr, 0) != 0 &&
        errno != ESRCH) {
        return errno_error("send signal " + std::to_string(signal_number) + " to process " +
                           std::to_string(pid_));
    }
    return ok();
}

Result<bool> PidRef::wait_exit(std::chrono::milliseconds timeout) const {
    using Clock = std::chrono::steady_clock;
    using std::chrono::milliseconds;
    const bool for_ever = timeout < milliseconds(0);
    constexpr milliseconds kLongest = std::chrono::hours(24 * 365);
    const auto deadline = Clock::now() + std::clamp(timeout, milliseconds(0), kLongest);
    for (;;) {
        const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
        const auto wait = std::clamp<milliseconds::rep>(left, 0, INT_MAX);
        struct pollfd polled = {pidfd(), POLLIN, 0};
        const int ready = ::poll(&polled, 1, for_ever ? -1 : static_cast<int>(wait));
        if (ready > 0) {
            if ((polled.revents & POLLNVAL) != 0) {
                return errno_error(EBADF, "wait for process " + std::to_string(pid_));
            }
            return true;
        }
        if (ready < 0 && errno != EINTR) {
            return errno_error("wait for process " + std::to_string(pid_));
        }
        if (ready == 0 && Clock::now() >= deadline) {
            return false;
        }
    }
}

bool PidRef::is_ending() const {
    const auto path = "/proc/" + std::to_string(pid_) + "/ns/mnt";
    char target[64];
    const bool has_namespaces = ::readlink(path.c_str(), target, sizeof(target)) >= 0;
    if (!has_namespaces && (errno == ENOENT || errno == ESRCH)) {
        return true;
    }
    // By then its number could be another's.
    return has_exited(pidfd());
}

Result<ExitStatus> reap(const PidRef& child) {
    siginfo_t info = {};
    while (::waitid(P_PIDFD, static_cast<id_t>(child.pidfd()), &info, WEXITED) != 0) {
        if (errno != EINTR) {
            return errno_error("wait for process " + std::to_string(child.pid()));
        }
    }
    ExitStatus status;
    status.signaled = info.si_code != CLD_EXITED;
    status.core_dumped = info.si_code == CLD_DUMPED;
    status.value = info.si_status;
    return status;
}

}  // namespace warren::base
