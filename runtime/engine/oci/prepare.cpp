#include "runtime/engine/oci/prepare.hpp"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "isolation/container_launcher.hpp"

namespace warren::engine::oci {

namespace {

base::Result<base::Fd> clone_tree(const SlotSource& source) {
    unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
    flags |= source.recursive ? unsigned{AT_RECURSIVE} : 0U;
    flags |= source.follow ? 0U : unsigned{AT_SYMLINK_NOFOLLOW};
    base::Fd tree(static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, source.path.c_str(), flags)));
    if (!tree) {
        return base::errno_error("open mount source " + source.path).with_place(source.place);
    }
    return tree;
}

base::Status check_device(const SlotSource& source, int fd) {
    struct stat status {};

    if (::fstat(fd, &status) != 0) {
        return base::errno_error("look at " + source.path).with_place(source.place);
    }
    const mode_t type = source.type == isolation::ContainerDevice::Type::Block ? S_IFBLK : S_IFCHR;
    if ((status.st_mode & S_IFMT) != type ||
        status.st_rdev != ::makedev(source.major, source.minor)) {
        return base::usage_error(
                   "the host's " + source.path +
                   " is another device, and with a user namespace no node can be made")
            .with_place(source.place);
    }
    return base::ok();
}

base::Status map_ids(const SlotSource& source, int tree, int user_namespace) {
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_IDMAP;
    attributes.userns_fd = static_cast<__u64>(user_namespace);
    const unsigned flags = AT_EMPTY_PATH | (source.ids_recursive ? unsigned{AT_RECURSIVE} : 0U);
    if (::syscall(SYS_mount_setattr, tree, "", flags, &attributes, sizeof(attributes)) != 0) {
        return base::errno_error("map the ids of " + source.path).with_place(source.place);
    }
    return base::ok();
}

base::Result<base::Fd> prepare_mount(const SlotSource& source, const SlotInputs& inputs) {
    auto tree = TRY(clone_tree(source));
    switch (source.ids) {
        case SlotSource::Ids::Same:
            break;
        case SlotSource::Ids::Container:
            TRY(map_ids(source, tree.get(), inputs.user_namespace));
            break;
        case SlotSource::Ids::Own: {
            const auto user_namespace =
                TRY(base::with_context(make_user_namespace(source.map), source.place));
            TRY(map_ids(source, tree.get(), user_namespace.get()));
            break;
        }
    }
    return tree;
}

base::Result<base::Fd> prepare_slot(const SlotSource& source, const SlotInputs& inputs) {
    switch (source.kind) {
        case SlotSource::Kind::HookState:
            return isolation::state_file(inputs.state);
        case SlotSource::Kind::StartSocket: {
            base::Fd copy(::fcntl(inputs.start_socket, F_DUPFD_CLOEXEC, 0));
            if (!copy) {
                return base::errno_error("duplicate the start socket");
            }
            return copy;
        }
        case SlotSource::Kind::Device: {
            auto tree = TRY(clone_tree(source));
            TRY(check_device(source, tree.get()));
            return tree;
        }
        case SlotSource::Kind::Root:
        case SlotSource::Kind::Bind:
            break;
    }
    return prepare_mount(source, inputs);
}

}  // namespace

base::Result<std::vector<base::Fd>> prepare_slots(const std::vector<SlotSource>& slots,
                                                  const SlotInputs& inputs) {
    std::vector<base::Fd> fds;
    fds.reserve(slots.size());
    for (const auto& slot : slots) {
        fds.push_back(TRY(prepare_slot(slot, inputs)));
    }
    return fds;
}

}  // namespace warren::engine::oci
