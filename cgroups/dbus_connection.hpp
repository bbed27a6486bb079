// A client's connection to a message bus, or to a service that speaks D-Bus on a socket of its own.
//
// The peer is the host's and trusted to keep to the protocol; a deadline bounds every wait. Whoever else is on a bus
// can send us messages: look at their sender.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "cgroups/dbus_message.hpp"

namespace warren::cgroups {

class DbusConnection {
public:
    using Clock = std::chrono::steady_clock;

    enum class Peer : std::uint8_t {
        Bus,      // a daemon in between: it wants to be greeted
        Service,  // the other end itself
    };

    // `addresses` as D-Bus writes them: "unix:path=/run/dbus/system_bus_socket;unix:abstract=...". The first that
    // answers, as whoever we are to the kernel.
    [[nodiscard]] static base::Result<DbusConnection> open(const std::string& addresses,
                                                           Peer peer,
                                                           Clock::time_point deadline);

    [[nodiscard]] Peer peer() const { return peer_; }

    // Sends a call and waits for its answer, a Return or an Error. Signals that come meanwhile are kept for
    // next_signal().
    [[nodiscard]] base::Result<DbusMessage> call(DbusMessage request, Clock::time_point deadline);
    // The oldest one. Waits for it.
    [[nodiscard]] base::Result<DbusMessage> next_signal(Clock::time_point deadline);

private:
    DbusConnection(base::Fd socket, Peer peer) : socket_(std::move(socket)), peer_(peer) {}

    [[nodiscard]] base::Status authenticate(Clock::time_point deadline);
    [[nodiscard]] base::Status greet(Clock::time_point deadline);
    [[nodiscard]] base::Result<std::string> read_line(Clock::time_point deadline);
    [[nodiscard]] base::Result<DbusMessage> receive(Clock::time_point deadline);
    // Until `count` bytes are in buffer_.
    [[nodiscard]] base::Status fill(std::size_t count, Clock::time_point deadline);
    [[nodiscard]] base::Status send(std::string_view bytes, Clock::time_point deadline);

    base::Fd socket_;
    Peer peer_;
    std::uint32_t serial_ = 0;
    std::string buffer_;
    std::vector<DbusMessage> signals_;
};

// One "unix:" address of the list, decoded. Exposed to the tests.
struct DbusAddress {
    std::string name;  // in the file system, or
    bool abstract = false;
    bool operator==(const DbusAddress&) const = default;
};

// Those of the list that a client on this host can use.
[[nodiscard]] std::vector<DbusAddress> parse_dbus_addresses(std::string_view text);

}  // namespace warren::cgroups
