#include "runtime/engine/oci/notify.hpp"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace warren::engine::oci {

namespace {

constexpr const char* kSocketName = "notify.sock";

struct Address {
    sockaddr_un value{};
    socklen_t size = 0;
};

// "@name" is an abstract one.
base::Result<Address> address_of(const std::string& path) {
    Address address;
    address.value.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof(address.value.sun_path)) {
        return base::usage_error("notify socket " + path + ": not a name that a socket can have");
    }
    std::memcpy(address.value.sun_path, path.data(), path.size());
    if (path.front() == '@') {
        address.value.sun_path[0] = '\0';
    }
    address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    return address;
}

base::Result<base::Fd> datagram_socket() {
    base::Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) {
        return base::errno_error("make socket");
    }
    return socket;
}

// The line of the message that is exactly READY=1.
bool says_ready(std::string_view message) {
    while (!message.empty()) {
        const auto end = message.find('\n');
        if (message.substr(0, end) == "READY=1") {
            return true;
        }
        message.remove_prefix(end == std::string_view::npos ? message.size() : end + 1);
    }
    return false;
}

base::Status tell(const std::string& manager, pid_t pid) {
    const auto address = TRY(address_of(manager));
    const auto socket = TRY(datagram_socket());
    for (const std::string& text : {std::string("READY=1\n"), "MAINPID=" + std::to_string(pid)}) {
        const ssize_t sent = ::sendto(socket.get(),
                                      text.data(),
                                      text.size(),
                                      MSG_NOSIGNAL,
                                      reinterpret_cast<const sockaddr*>(&address.value),
                                      address.size);
        if (sent < 0) {
            return base::errno_error("notify " + manager);
        }
    }
    return base::ok();
}

}  // namespace

std::string notify_socket() {
    const char* path = std::getenv("NOTIFY_SOCKET");
    return path == nullptr ? "" : path;
}

base::Result<NotifyProxy> NotifyProxy::open(const Container& container) {
    NotifyProxy proxy;
    proxy.manager_ = notify_socket();
    if (proxy.manager_.empty()) {
        return proxy;
    }
    const auto directory = base::open_dir(container.dir.fd(), kNotifyDirectory);
    if (!directory) {
        return proxy;
    }
    auto socket = TRY(datagram_socket());
    const auto path = base::proc_fd_path(directory.value().get()) + "/" + kSocketName;
    const auto address = TRY(address_of(path));
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.value), address.size) !=
        0) {
        return base::errno_error("make the container's notify socket");
    }
    // Whoever the container runs as may write to it.
    if (::fchmodat(directory.value().get(), kSocketName, 0777, 0) != 0) {
        return base::errno_error("open the container's notify socket to it");
    }
    proxy.socket_ = std::move(socket);
    return proxy;
}

base::Status NotifyProxy::forward(const base::PidRef& init) {
    if (!socket_) {
        return base::ok();
    }
    std::array<char, 4096> message{};
    for (;;) {
        pollfd polled[] = {{socket_.get(), POLLIN, 0}, {init.pidfd(), POLLIN, 0}};
        if (::poll(polled, 2, -1) < 0 && errno != EINTR) {
            return base::errno_error("wait for the container to be ready");
        }
        if (polled[0].revents != 0) {
            const ssize_t got = ::recv(socket_.get(), message.data(), message.size(), MSG_DONTWAIT);
            if (got > 0 && says_ready({message.data(), static_cast<std::size_t>(got)})) {
                return tell(manager_, init.pid());
            }
        } else if (polled[1].revents != 0) {
            return base::ok();  // it ended unready; its manager sees that
        }
    }
}

}  // namespace warren::engine::oci
