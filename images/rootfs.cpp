#include "images/rootfs.hpp"

#include <array>
#include <cstring>
#include <optional>
#include <string_view>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/scope_exit.hpp"
#include "base/socket.hpp"
#include "images/creator_credentials.hpp"
#include "images/file_system.hpp"

namespace warren::images {
namespace {

constexpr int kDirFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW;

// The layers, ready to be named to overlayfs by /proc/self/fd. The trees are detached, idmapped
// clones; absent when nothing is mapped.
struct Layers {
    base::Fd lower_tree;
    base::Fd guest_tree;
    base::Fd upper;
    base::Fd work;
    int lower = -1;  // lower_tree, or the image's own directory
};

base::Result<base::Fd> clone_mapped(int dir, int userns_fd, std::string_view what) {
    base::Fd tree(open_tree(dir, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    if (!tree) {
        return base::errno_error("clone the mount of " + std::string(what));
    }
    mount_attr attr{};
    attr.attr_set = MOUNT_ATTR_IDMAP;
    // A clone of a shared mount is its peer: what is attached to one would show up in the other.
    attr.propagation = MS_PRIVATE;
    attr.userns_fd = static_cast<decltype(attr.userns_fd)>(userns_fd);
    if (mount_setattr(tree.get(), "", AT_EMPTY_PATH, &attr, sizeof attr) != 0) {
        const int error_number = errno;
        if (error_number != EINVAL && error_number != ENOSYS && error_number != EOPNOTSUPP) {
            return base::errno_error(error_number, "idmap the mount of " + std::string(what));
        }
        return base::Error(base::ErrorKind::Unsupported,
                           error_number,
                           "idmap the mount of " + std::string(what) + ": " +
                               file_system_name(dir) +
                               " cannot be idmapped here; keep the data directory on ext4, xfs or "
                               "btrfs (Linux 5.19 or newer), or use --userns host");
    }
    return tree;
}

base::Result<Layers> open_layers(const RootfsRef& ref) {
    Layers layers;
    int guest_dir = ref.guest_dir;
    layers.lower = ref.image_root;
    if (ref.userns_fd >= 0) {
        layers.lower_tree = TRY(clone_mapped(ref.image_root, ref.userns_fd, "the image"));
        layers.guest_tree = TRY(clone_mapped(ref.guest_dir, ref.userns_fd, "the guest's disk"));
        layers.lower = layers.lower_tree.get();
        guest_dir = layers.guest_tree.get();
    }
    // Both below one mount: overlayfs refuses an upper and a work directory of two.
    layers.upper = TRY(base::open_at(guest_dir, "upper", kDirFlags, 0, base::Resolve::NoSymlinks));
    layers.work = TRY(base::open_at(guest_dir, "work", kDirFlags, 0, base::Resolve::NoSymlinks));
    return layers;
}

// What the kernel said about a failed fsconfig(2): the context's log, one line an entry, "e
// overlay: ...".
std::string context_log(int context) {
    std::array<char, 512> line{};
    std::string log;
    for (ssize_t n = 0; (n = read(context, line.data(), line.size())) > 0;) {
        std::string_view text(line.data(), static_cast<std::size_t>(n));
        while (!text.empty() && text.back() == '\n') {
            text.remove_suffix(1);
        }
        log += (log.empty() ? " (" : "; ") + std::string(text);
    }
    return log.empty() ? log : log + ")";
}

struct Option {
    const char* key;
    std::string value;
};

base::Status set_options(int context, const Layers& layers, bool is_volatile) {
    const std::array options{
        Option{"source", "warren"},
        Option{"lowerdir", base::proc_fd_path(layers.lower)},
        Option{"upperdir", base::proc_fd_path(layers.upper.get())},
        Option{"workdir", base::proc_fd_path(layers.work.get())},
        // Directories of the image can be renamed. Trusted attributes are out of a guest's reach.
        Option{"redirect_dir", "on"},
        // An upper must stay good when its image is copied to another place or host.
        Option{"index", "off"},
        Option{"metacopy", "off"},
    };
    for (const Option& option : options) {
        if (fsconfig(context, FSCONFIG_SET_STRING, option.key, option.value.c_str(), 0) != 0) {
            const int error_number = errno;
            return base::errno_error(
                error_number,
                std::string("set overlay option ") + option.key + context_log(context));
        }
    }
    if (is_volatile && fsconfig(context, FSCONFIG_SET_FLAG, "volatile", nullptr, 0) != 0) {
        return base::errno_error("set overlay option volatile");
    }
    return base::ok();
}

base::Status create_superblock(int context, const RootfsRef& ref) {
    std::optional<CreatorCredentials> creator;
    if (ref.userns_fd >= 0) {
        creator.emplace(TRY(CreatorCredentials::assume(ref.root_uid, ref.root_gid)));
    }
    if (fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
        const int error_number = errno;
        return base::errno_error(error_number, "create the overlay" + context_log(context));
    }
    return base::ok();
}

base::Result<base::Fd> make_overlay(const Layers& layers, const RootfsRef& ref) {
    const base::Fd context(fsopen("overlay", FSOPEN_CLOEXEC));
    if (!context) {
        return base::errno_error("open the overlay file system");
    }
    TRY(set_options(context.get(), layers, ref.is_volatile));
    TRY(create_superblock(context.get(), ref));
    base::Fd mount(fsmount(context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV));
    if (!mount) {
        return base::errno_error("mount the overlay");
    }

    // Without a usable work directory overlayfs mounts all the same, but read-only.
    struct statvfs info {};

    if (fstatvfs(mount.get(), &info) != 0) {
        return base::errno_error("look at the overlay");
    }
    if ((info.f_flag & ST_RDONLY) != 0) {
        return base::Error(base::ErrorKind::Unsupported,
                           "create the overlay: " + file_system_name(layers.upper.get()) +
                               " cannot hold a guest's upper directory (the kernel log says why)");
    }
    return mount;
}

// Attaches the trees over "/" of a mount namespace of our own: below the root directory of this
// process, which is looked up as it was, so nothing of this is ever seen.
base::Status attach_privately(const Layers& layers) {
    if (unshare(CLONE_NEWNS) != 0) {
        return base::errno_error("unshare the mount namespace");
    }
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
        return base::errno_error("make the mounts of the new namespace private");
    }
    for (const base::Fd* tree : {&layers.lower_tree, &layers.guest_tree}) {
        if (tree->valid() &&
            move_mount(tree->get(), "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) != 0) {
            return base::errno_error("attach a layer in a private mount namespace");
        }
    }
    return base::ok();
}

// The child's whole life; its exit status tells nothing, the messages do.
void make_overlay_for_parent(int socket, const Layers& layers, const RootfsRef& ref) {
    auto mount = [&]() -> base::Result<base::Fd> {
        TRY(attach_privately(layers));
        return make_overlay(layers, ref);
    }();
    if (mount) {
        const std::array fds{mount.value().get()};
        (void)base::send_message(socket, "ok", fds);
    } else {
        (void)base::send_message(socket, mount.error().describe());
    }
}

// For kernels whose overlayfs takes attached layers only (before 6.15): a short-lived process
// attaches them in a mount namespace that dies with it. A process, since unshare(2) and setns(2)
// back would change this one's root and working directory, and a failure halfway would leave it in
// the wrong namespace.
base::Result<base::Fd> make_overlay_attached(const Layers& layers, const RootfsRef& ref) {
    auto [ours, theirs] = TRY(base::seqpacket_pair());
    const pid_t pid = fork();
    if (pid < 0) {
        return base::errno_error("fork");
    }
    if (pid == 0) {
        ours.reset();
        make_overlay_for_parent(theirs.get(), layers, ref);
        _exit(0);
    }
    const base::ScopeExit reaped([pid] {
        while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
        }
    });
    theirs.reset();
    auto answer = TRY(base::receive_message(ours.get(), 4096, 1));
    if (!answer) {
        return base::fail("make the overlay: its helper process died");
    }
    if (answer->fds.empty()) {
        return base::fail(answer->bytes);
    }
    return std::move(answer->fds.front());
}

}  // namespace

base::Result<MountedRootfs> mount_rootfs(const RootfsRef& ref) {
    Layers layers = TRY(open_layers(ref));
    auto detached = make_overlay(layers, ref);
    if (detached) {
        MountedRootfs mounted{std::move(detached).value(), {}};
        for (base::Fd* fd : {&layers.upper, &layers.work, &layers.lower_tree, &layers.guest_tree}) {
            mounted.spent.push_back(std::move(*fd));
        }
        return mounted;
    }
    if (ref.userns_fd < 0) {
        return std::move(detached).error();
    }
    auto attached = make_overlay_attached(layers, ref);
    if (attached) {
        return MountedRootfs{std::move(attached).value(), {}};
    }
    return std::move(detached).error().with_secondary(std::move(attached).error());
}

}  // namespace warren::images
