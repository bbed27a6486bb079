// Before the root: the release, and what has no place in the file tree.
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "isolation/child/ops.hpp"
#include "isolation/child/syscalls.hpp"

namespace warren::isolation::child {

int receive_go(int channel, int* slots, std::size_t limit) {
    std::uint32_t magic = 0;
    iovec part{&magic, sizeof(magic)};
    alignas(cmsghdr) unsigned char control[CMSG_SPACE(sizeof(int) * kReleasedSlots)];
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (limit > 0) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * limit);
    }
    long got = 0;
    do {
        got = sys(SYS_recvmsg, channel, &message, MSG_CMSG_CLOEXEC);
    } while (got == -EINTR);
    if (got == 0 || got == -ECONNRESET) {
        return 0;
    }
    if (got < 0) {
        return static_cast<int>(got);
    }
    if (got != sizeof(magic) || magic != kReportMagic) {
        return -EPROTO;
    }
    if ((message.msg_flags & MSG_CTRUNC) != 0) {
        return limit > 0 ? -EMFILE : -EPROTO;
    }
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (header == nullptr) {
        return 1;
    }
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
        return -EPROTO;
    }
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    if (count > limit) {
        return -EPROTO;
    }
    __builtin_memcpy(slots, CMSG_DATA(header), count * sizeof(int));
    return 1;
}

// WaitIds: the parent has written the maps. WaitRelease: the descriptors that come along fill slots 0.. in order.
int wait_go(Context& context, std::size_t limit) {
    const int came = receive_go(context.report, context.slots, limit);
    if (came == 0) {
        leave(1);
    }
    return came < 0 ? came : 0;
}

// SetHostname: s1 the name, a its length.
int set_hostname(const Step& step) {
    return status(SYS_sethostname, step.s1, step.a);
}

// NetlinkRequest: data the request, a its length. It asks for an acknowledgement, whose errno is the answer.
int netlink_request(const Step& step) {
    const int fd = descriptor(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) {
        return fd;
    }
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    int result = status(SYS_sendto, fd, step.data, step.a, 0, &kernel, sizeof(kernel));
    if (result == 0) {
        // An acknowledgement repeats the request behind its error, at most.
        alignas(nlmsghdr) unsigned char reply[4096];
        const long got = sys(SYS_recvfrom, fd, reply, sizeof(reply), 0, nullptr, nullptr);
        if (got < 0) {
            result = static_cast<int>(got);
        } else if (static_cast<std::size_t>(got) < NLMSG_LENGTH(sizeof(int))) {
            result = -EPROTO;
        } else {
            nlmsghdr header;
            __builtin_memcpy(&header, reply, sizeof(header));
            __builtin_memcpy(&result, reply + NLMSG_HDRLEN, sizeof(result));
            result = header.nlmsg_type == NLMSG_ERROR ? result : -EPROTO;
        }
    }
    (void)sys(SYS_close, fd);
    return result;
}

// NewKeyring: an anonymous session keyring, or the guest would hold that of whoever ran us. A kernel without
// keyrings has nothing to hold.
int new_keyring() {
    const int result = status(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
    return result == -ENOSYS ? 0 : result;
}

}  // namespace warren::isolation::child
