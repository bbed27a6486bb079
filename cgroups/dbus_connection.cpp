#include "cgroups/dbus_connection.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/units.hpp"

namespace warren::cgroups {

namespace {

using Clock = DbusConnection::Clock;

constexpr const char* kTalk = "talk over D-Bus";
constexpr char kFirstLine[] = "\0AUTH EXTERNAL\r\n";  // the first byte carried credentials once
constexpr std::size_t kLongestLine = 16384;           // of the authentication
constexpr const char* kBusName = "org.freedesktop.DBus";
constexpr const char* kBusPath = "/org/freedesktop/DBus";

base::Error in_vain() {
    return base::fail(std::string(kTalk) + ": no answer in time");
}

base::Status wait_for(int fd, short events, Clock::time_point deadline) {
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        if (left <= 0) {
            return in_vain();
        }
        pollfd polled{fd, events, 0};
        const int ready = ::poll(&polled, 1, static_cast<int>(std::min<long>(left, 1L << 30)));
        if (ready > 0) {
            return base::ok();
        }
        if (ready < 0 && errno != EINTR) {
            return base::errno_error(kTalk);
        }
    }
}

int digit(char c) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto at = kDigits.find(static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c));
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

// "%2f" is a slash; anything half is left as it stands.
std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 &&
                            digit(text[i + 2]) >= 0;
        if (!escape) {
            out += text[i];
            continue;
        }
        out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
        i += 2;
    }
    return out;
}

// Takes what is before `separator` off the front.
std::string_view next_part(std::string_view& text, char separator) {
    const auto end = text.find(separator);
    const auto part = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return part;
}

base::Result<base::Fd> connect_to(const DbusAddress& address) {
    sockaddr_un socket_address{};
    socket_address.sun_family = AF_UNIX;
    const std::size_t skipped = address.abstract ? 1 : 0;
    if (address.name.size() + 1 > sizeof(socket_address.sun_path)) {
        return base::errno_error(ENAMETOOLONG, "connect to " + address.name);
    }
    std::memcpy(&socket_address.sun_path[skipped], address.name.data(), address.name.size());
    const auto size =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.name.size() + 1);
    base::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) {
        return base::errno_error("make socket");
    }
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&socket_address), size) != 0) {
        return base::errno_error("connect to " + address.name);
    }
    return socket;
}

std::string hexadecimal(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        out += kDigits[byte / 16U];
        out += kDigits[byte % 16U];
    }
    return out;
}

}  // namespace

std::vector<DbusAddress> parse_dbus_addresses(std::string_view text) {
    constexpr std::string_view kUnix = "unix:";
    std::vector<DbusAddress> out;
    while (!text.empty()) {
        auto address = next_part(text, ';');
        if (!address.starts_with(kUnix)) {
            continue;
        }
        address.remove_prefix(kUnix.size());
        while (!address.empty()) {
            auto value = next_part(address, ',');
            const auto key = next_part(value, '=');
            if ((key == "path" || key == "abstract") && !value.empty()) {
                out.push_back({unescaped(value), key == "abstract"});
            }
        }
    }
    return out;
}

base::Result<DbusConnection> DbusConnection::open(const std::string& addresses,
                                                  Peer peer,
                                                  Clock::time_point deadline) {
    base::Error error =
        base::usage_error("no address of a bus in \"" + base::printable(addresses) + "\"");
    for (const auto& address : parse_dbus_addresses(addresses)) {
        auto socket = connect_to(address);
        if (!socket) {
            error = std::move(socket).error();
            continue;
        }
        DbusConnection connection(std::move(socket).value(), peer);
        auto ready = connection.authenticate(deadline);
        if (ready && peer == Peer::Bus) {
            ready = connection.greet(deadline);
        }
        if (ready) {
            return connection;
        }
        error = std::move(ready).error().with_context(address.name);
    }
    return error;
}

// EXTERNAL: the peer asks the kernel who we are. Saying nothing about it is right in a user namespace too, where we do
// not know our number outside; a server that insists on a number gets it.
base::Status DbusConnection::authenticate(Clock::time_point deadline) {
    TRY(send(std::string_view(std::data(kFirstLine), sizeof(kFirstLine) - 1), deadline));
    auto line = TRY(read_line(deadline));
    if (line.starts_with("DATA")) {
        TRY(send("DATA\r\n", deadline));
        line = TRY(read_line(deadline));
    }
    if (!line.starts_with("OK")) {
        TRY(send("AUTH EXTERNAL " + hexadecimal(std::to_string(::geteuid())) + "\r\n", deadline));
        line = TRY(read_line(deadline));
    }
    if (!line.starts_with("OK")) {
        return base::fail(std::string(kTalk) + ": refused with \"" + base::printable(line) + "\"");
    }
    return send("BEGIN\r\n", deadline);
}

base::Status DbusConnection::greet(Clock::time_point deadline) {
    DbusMessage hello;
    hello.destination = kBusName;
    hello.path = kBusPath;
    hello.interface = kBusName;
    hello.member = "Hello";
    const auto answer = TRY(call(std::move(hello), deadline));
    if (answer.type != DbusType::Return) {
        return base::fail("greet the bus: " + base::printable(answer.error_name));
    }
    return base::ok();
}

base::Status DbusConnection::send(std::string_view bytes, Clock::time_point deadline) {
    while (!bytes.empty()) {
        const ssize_t sent =
            ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        } else if (errno == EAGAIN) {
            TRY(wait_for(socket_.get(), POLLOUT, deadline));
        } else if (errno != EINTR) {
            return base::errno_error(kTalk);
        }
    }
    return base::ok();
}

base::Status DbusConnection::fill(std::size_t count, Clock::time_point deadline) {
    std::array<char, 4096> chunk{};
    while (buffer_.size() < count) {
        const ssize_t got = ::recv(socket_.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
        if (got > 0) {
            buffer_.append(chunk.data(), static_cast<std::size_t>(got));
        } else if (got == 0) {
            return base::fail(std::string(kTalk) + ": the other end has closed");
        } else if (errno == EAGAIN) {
            TRY(wait_for(socket_.get(), POLLIN, deadline));
        } else if (errno != EINTR) {
            return base::errno_error(kTalk);
        }
    }
    return base::ok();
}

base::Result<std::string> DbusConnection::read_line(Clock::time_point deadline) {
    for (;;) {
        if (const auto end = buffer_.find("\r\n"); end != std::string::npos) {
            auto line = buffer_.substr(0, end);
            buffer_.erase(0, end + 2);
            return line;
        }
        if (buffer_.size() > kLongestLine) {
            return base::fail(std::string(kTalk) + ": a line without an end");
        }
        TRY(fill(buffer_.size() + 1, deadline));
    }
}

base::Result<DbusMessage> DbusConnection::receive(Clock::time_point deadline) {
    TRY(fill(kDbusFixedHeader, deadline));
    const std::size_t size = TRY(dbus_size(std::string_view(buffer_).substr(0, kDbusFixedHeader)));
    TRY(fill(size, deadline));
    auto message = TRY(message_from_bytes(std::string_view(buffer_).substr(0, size)));
    buffer_.erase(0, size);
    return message;
}

base::Result<DbusMessage> DbusConnection::call(DbusMessage request, Clock::time_point deadline) {
    request.serial = ++serial_;
    TRY(send(to_bytes(request), deadline));
    for (;;) {
        auto message = TRY(receive(deadline));
        if (message.type == DbusType::Signal) {
            signals_.push_back(std::move(message));
            continue;
        }
        const bool answer = message.type == DbusType::Return || message.type == DbusType::Error;
        if (answer && message.reply_serial == request.serial) {
            return message;
        }
    }
}

base::Result<DbusMessage> DbusConnection::next_signal(Clock::time_point deadline) {
    while (signals_.empty()) {
        auto message = TRY(receive(deadline));
        if (message.type == DbusType::Signal) {
            return message;
        }
    }
    auto oldest = std::move(signals_.front());
    signals_.erase(signals_.begin());
    return oldest;
}

}  // namespace warren::cgroups
