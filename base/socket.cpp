#include "base/socket.hpp"

#include <array>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace warren::base {

namespace {

// Enough for one SCM_RIGHTS record, aligned as cmsg(3) demands.
struct alignas(struct cmsghdr) ControlBuffer {
    std::array<char, CMSG_SPACE(sizeof(int) * kMaxMessageFds)> bytes{};
};

Result<Fd> make_socket() {
    Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!fd) {
        return errno_error("make a socket");
    }
    return fd;
}

Result<struct sockaddr_un> address_of(int dir, const std::string& name) {
    struct sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    const auto path = proc_fd_path(dir) + "/" + name;
    const bool is_name = !name.empty() && name != "." && name != ".." &&
                         name.find('/') == std::string::npos &&
                         name.find('\0') == std::string::npos;
    if (!is_name || dir < 0) {
        return errno_error(EINVAL, "name socket " + name);
    }
    if (path.size() >= sizeof(address.sun_path)) {
        return errno_error(ENAMETOOLONG, "name socket " + name);
    }
    std::memcpy(&address.sun_path[0], path.c_str(), path.size() + 1);
    return address;
}

const struct sockaddr* generic(const struct sockaddr_un& address) {
    return reinterpret_cast<const struct sockaddr*>(&address);
}

// Takes ownership of every descriptor that came, before anything is judged.
std::vector<Fd> take_fds(struct msghdr& header) {
    std::vector<Fd> fds;
    for (struct cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
         control = CMSG_NXTHDR(&header, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        const std::size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof(int));
            fds.emplace_back(fd);
        }
    }
    return fds;
}

}  // namespace

Result<std::pair<Fd, Fd>> seqpacket_pair() {
    std::array<int, 2> fds{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()) != 0) {
        return errno_error("make a socket pair");
    }
    return std::pair<Fd, Fd>(fds[0], fds[1]);
}

Status send_message(int socket, std::string_view bytes, std::span<const int> fds) {
    if (bytes.empty() || fds.size() > kMaxMessageFds) {
        return errno_error(EINVAL, "send a message");
    }
    // sendmsg(2) does not write to it; iovec serves both directions.
    struct iovec part = {const_cast<char*>(bytes.data()), bytes.size()};
    struct msghdr header = {};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    ControlBuffer buffer;
    if (!fds.empty()) {
        header.msg_control = buffer.bytes.data();
        header.msg_controllen = CMSG_SPACE(fds.size_bytes());
        struct cmsghdr* control = CMSG_FIRSTHDR(&header);
        control->cmsg_level = SOL_SOCKET;
        control->cmsg_type = SCM_RIGHTS;
        control->cmsg_len = CMSG_LEN(fds.size_bytes());
        std::memcpy(CMSG_DATA(control), fds.data(), fds.size_bytes());
    }
    while (::sendmsg(socket, &header, MSG_NOSIGNAL) < 0) {
        if (errno != EINTR) {
            return errno_error("send a message");
        }
    }
    return ok();
}

Result<std::optional<Message>> receive_message(int socket,
                                               std::size_t max_bytes,
                                               std::size_t max_fds) {
    if (max_bytes == 0 || max_fds > kMaxMessageFds) {
        return errno_error(EINVAL, "receive a message");
    }
    Message message;
    message.bytes.resize(max_bytes);
    struct iovec part = {message.bytes.data(), message.bytes.size()};
    ControlBuffer buffer;
    struct msghdr header = {};
    ssize_t length = -1;
    do {
        header = {};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        if (max_fds > 0) {
            header.msg_control = buffer.bytes.data();
            // Not CMSG_SPACE: its padding would let one descriptor too many in unnoticed.
            header.msg_controllen = CMSG_LEN(sizeof(int) * max_fds);
        }
        length = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    } while (length < 0 && errno == EINTR);
    if (length < 0) {
        return errno_error("receive a message");
    }
    message.fds = take_fds(header);
    if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || message.fds.size() > max_fds) {
        return errno_error(EMSGSIZE, "receive a message");
    }
    if (length == 0) {
        return std::optional<Message>();
    }
    message.bytes.resize(static_cast<std::size_t>(length));
    return std::optional<Message>(std::move(message));
}

Result<Fd> listen_at(int dir, const std::string& name, mode_t mode, int backlog) {
    const auto address = TRY(address_of(dir, name));
    Fd fd = TRY(make_socket());
    // bind(2) gives the file the permissions of the socket's own inode, less the umask.
    if (::fchmod(fd.get(), mode) != 0) {
        return errno_error("change mode of socket " + name);
    }
    if (::bind(fd.get(), generic(address), sizeof(address)) != 0) {
        return errno_error("bind socket " + name);
    }
    if (::listen(fd.get(), backlog) != 0) {
        auto error = errno_error("listen on socket " + name);
        if (const auto removed = remove_file_at(dir, name); !removed) {
            error.add_secondary(removed.error());
        }
        return error;
    }
    return fd;
}

Result<Fd> connect_at(int dir, const std::string& name) {
    const auto address = TRY(address_of(dir, name));
    Fd fd = TRY(make_socket());
    while (::connect(fd.get(), generic(address), sizeof(address)) != 0) {
        if (errno != EINTR) {
            return errno_error("connect to socket " + name);
        }
    }
    return fd;
}

Result<Fd> accept_connection(int listener) {
    for (;;) {
        const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd >= 0) {
            return Fd(fd);
        }
        if (errno != EINTR && errno != ECONNABORTED) {
            return errno_error("accept a connection");
        }
    }
}

Result<PeerCredentials> peer_credentials(int socket) {
    struct ucred found = {};
    socklen_t length = sizeof(found);
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &found, &length) != 0) {
        return errno_error("read the peer's credentials");
    }
    return PeerCredentials{found.pid, found.uid, found.gid};
}

}  // namespace warren::base
