#include <algorithm>
#include <array>

#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/scope_exit.hpp"
#include "images/file_system.hpp"
#include "images/rootfs.hpp"
#include "images/temp_dir.hpp"

namespace warren::images {
namespace {

// Any range that is not the host's own root will do.
constexpr std::uint32_t kProbeBase = 0x7000'0000;

// A user namespace that only this descriptor keeps. It is made by a child that exits at once.
base::Result<base::Fd> make_userns() {
    std::array<int, 2> ready{};
    std::array<int, 2> go{};
    if (pipe2(ready.data(), O_CLOEXEC) != 0) {
        return base::errno_error("create pipe");
    }
    const base::Fd ready_read(ready[0]);
    base::Fd ready_write(ready[1]);
    if (pipe2(go.data(), O_CLOEXEC) != 0) {
        return base::errno_error("create pipe");
    }
    const base::Fd go_read(go[0]);
    base::Fd go_write(go[1]);
    const pid_t pid = fork();
    if (pid < 0) {
        return base::errno_error("fork");
    }
    if (pid == 0) {
        char byte = unshare(CLONE_NEWUSER) == 0 ? 1 : 0;
        (void)!write(ready_write.get(), &byte, 1);
        go_write.reset();
        (void)!read(go_read.get(), &byte, 1);
        _exit(0);
    }
    const base::ScopeExit reaped([&] {
        go_write.reset();
        while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
        }
    });
    ready_write.reset();
    char is_made = 0;
    if (read(ready_read.get(), &is_made, 1) != 1 || is_made == 0) {
        return base::fail("create a user namespace: not permitted here");
    }
    const std::string proc = "/proc/" + std::to_string(pid) + "/";
    const std::string map = "0 " + std::to_string(kProbeBase) + " 65536";
    TRY(base::write_knob_at(AT_FDCWD, proc + "uid_map", map));
    TRY(base::write_knob_at(AT_FDCWD, proc + "gid_map", map));
    return base::open_at(AT_FDCWD, proc + "ns/user", O_RDONLY);
}

// What a guest needs of its disk, tried: a file made through the overlay by the mapped root has to
// be root's on the disk.
base::Status try_disk(int dir, int userns_fd) {
    if (mkdirat(dir, "lower", 0755) != 0) {
        return base::errno_error("create directory lower");
    }
    TRY(create_disk(dir));
    const base::Fd lower = TRY(base::open_at(dir, "lower", O_PATH | O_DIRECTORY | O_NOFOLLOW));
    RootfsRef ref{.image_root = lower.get(), .guest_dir = dir, .userns_fd = userns_fd};
    if (userns_fd >= 0) {
        ref.root_uid = kProbeBase;
        ref.root_gid = kProbeBase;
    }
    TRY(mount_rootfs(ref));
    return base::ok();
}

base::Status try_in_new_dir(int dir, int userns_fd) {
    const TempDir probe = TRY(TempDir::make(dir));
    return try_disk(probe.fd(), userns_fd);
}

// Files of the file system carry project ids (ioctl_xfs_fsgetxattr(2), which ext4 and others have
// too).
bool has_project_ids(int dir) {
    auto readable = base::open_at(dir, ".", O_RDONLY | O_DIRECTORY);

    struct fsxattr attributes {};

    return readable && ioctl(readable.value().get(), FS_IOC_FSGETXATTR, &attributes) == 0;
}

std::string line_starting_with(const std::string& text, const std::string& start) {
    const std::size_t at = ("\n" + text).find("\n" + start);
    return at == std::string::npos ? std::string() : text.substr(at, text.find('\n', at) - at);
}

// proc_pid_mountinfo(5) of the mount that the descriptor is on.
base::Result<bool> is_mounted_with_project_quota(int fd) {
    constexpr std::size_t kMaxTable = 64U << 20U;
    const std::string info =
        TRY(base::read_file_at(AT_FDCWD, "/proc/self/fdinfo/" + std::to_string(fd)));
    const std::string key = "mnt_id:\t";
    const std::string id = line_starting_with(info, key);
    const std::string table = TRY(base::read_file_at(AT_FDCWD, "/proc/self/mountinfo", kMaxTable));
    const std::string line =
        line_starting_with(table, id.substr(std::min(key.size(), id.size())) + " ");
    const std::size_t super = line.find(" - ");
    if (id.empty() || super == std::string::npos) {
        return false;
    }
    const std::string options = line.substr(super);
    return options.find("prjquota") != std::string::npos ||
           options.find("pquota") != std::string::npos;
}

}  // namespace

base::Result<DiskSupport> probe_disk(int dir) {
    DiskSupport out;
    out.fs_type = file_system_name(dir);
    TRY(sweep_leftovers(dir));
    out.project_quota = has_project_ids(dir) && TRY(is_mounted_with_project_quota(dir));
    const auto plain = try_in_new_dir(dir, -1);
    out.overlay_upper = plain.has_value();
    if (!plain) {
        out.why_not = plain.error().describe();
        return out;
    }
    const auto userns = make_userns();
    if (!userns) {
        out.why_not = userns.error().describe();
        return out;
    }
    const auto mapped = try_in_new_dir(dir, userns.value().get());
    out.idmapped = mapped.has_value();
    if (!mapped) {
        out.why_not = mapped.error().describe();
    }
    return out;
}

}  // namespace warren::images
