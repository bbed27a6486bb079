#include <chrono>
#include <iterator>
#include <string>
#include <thread>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "base/socket.hpp"
#include "cgroups/dbus_connection.hpp"
#include "tests/unit/support/temp_dir.hpp"

using namespace warren;
using namespace warren::cgroups;
using Clock = DbusConnection::Clock;

namespace {

constexpr std::chrono::seconds kBusPatience(10);

// A literal with null bytes in it.
template <std::size_t N>
std::string bytes(const char (&text)[N]) {
    return {std::data(text), N - 1};
}

DbusMessage answer_to(const DbusMessage& request) {
    DbusMessage answer;
    answer.type = DbusType::Return;
    answer.serial = 7;
    answer.reply_serial = request.serial;
    answer.sender = ":1.0";
    return answer;
}

DbusMessage signal_named(const std::string& member) {
    DbusMessage signal;
    signal.type = DbusType::Signal;
    signal.serial = 9;
    signal.member = member;
    return signal;
}

// The other end of a connection, in a thread of its own.
class Peer {
public:
    template <typename F>
    Peer(const std::string& path, F talk)
        : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        REQUIRE(path.size() < sizeof(address.sun_path));
        path.copy(&address.sun_path[0], path.size());
        REQUIRE(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) ==
                0);
        REQUIRE(::listen(listener_.get(), 1) == 0);
        thread_ = std::thread([this, talk] {
            socket_ = base::Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            talk(*this);
            socket_.reset();
        });
    }

    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    Peer(Peer&&) = delete;
    Peer& operator=(Peer&&) = delete;

    ~Peer() { thread_.join(); }

    [[nodiscard]] std::string read(std::size_t count) const {
        std::string out(count, '\0');
        const auto got = ::recv(socket_.get(), out.data(), count, MSG_WAITALL);
        out.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
        return out;
    }

    [[nodiscard]] bool expects(const std::string& words) const {
        return read(words.size()) == words;
    }

    [[nodiscard]] DbusMessage message() const {
        auto all = read(kDbusFixedHeader);
        const auto size = dbus_size(all);
        if (!size) {
            return {};
        }
        all += read(size.value() - all.size());
        return message_from_bytes(all).value();
    }

    void send(const std::string& words) const {
        (void)::send(socket_.get(), words.data(), words.size(), MSG_NOSIGNAL);
    }

private:
    base::Fd listener_;
    base::Fd socket_;
    std::thread thread_;
};

base::Result<DbusConnection> open_at(const std::string& path, DbusConnection::Peer peer) {
    return DbusConnection::open("unix:path=" + path, peer, Clock::now() + kBusPatience);
}

}  // namespace

TEST_CASE("a message has the bytes of the specification") {
    DbusMessage hello;
    hello.serial = 1;
    hello.path = "/a";
    hello.member = "Hello";
    hello.signature = "u";
    DbusWriter body;
    body.number(std::uint32_t{5});
    hello.body = body.bytes();
    const auto written = to_bytes(hello);
    CHECK(written == bytes("l\1\0\1"
                           "\4\0\0\0\1\0\0\0"
                           "\47\0\0\0"
                           "\1\1o\0\2\0\0\0/a\0\0\0\0\0\0"
                           "\3\1s\0\5\0\0\0Hello\0\0\0"
                           "\x8\1g\0\1u\0\0"
                           "\5\0\0\0"));
    CHECK(message_from_bytes(written).value() == hello);
}

TEST_CASE("a message is read as it was written") {
    DbusMessage message;
    message.type = DbusType::Error;
    message.serial = 3;
    message.reply_serial = 4;
    message.path = "/o";
    message.interface = "a.b";
    message.member = "M";
    message.error_name = "a.Error";
    message.destination = ":1.1";
    message.sender = ":1.2";
    message.signature = "sas";
    DbusWriter body;
    body.string("what");
    body.array(4, [&] { body.string("x"); });
    message.body = body.bytes();
    CHECK(message_from_bytes(to_bytes(message)).value() == message);
}

TEST_CASE("whatever is cut short or says so is refused") {
    auto message = signal_named("JobRemoved");
    message.signature = "s";
    DbusWriter body;
    body.string("x");
    message.body = body.bytes();
    const auto whole = to_bytes(message);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK_FALSE(message_from_bytes(whole.substr(0, size)));
    }
    for (std::size_t at = 0; at < whole.size(); ++at) {
        auto spoilt = whole;
        spoilt[at] = static_cast<char>(0xff);
        (void)message_from_bytes(spoilt);  // an error or another message, and no more
    }
    auto large = whole;
    large[7] = 0x7f;
    CHECK_FALSE(dbus_size(large));
    DbusReader reader("\xff\xff\xff\xff");
    CHECK_FALSE(reader.string());
}

TEST_CASE("addresses of buses") {
    using Addresses = std::vector<DbusAddress>;
    CHECK(parse_dbus_addresses("unix:path=/run/bus") == Addresses{{"/run/bus", false}});
    CHECK(parse_dbus_addresses("tcp:host=a,port=1;unix:abstract=/tmp/x,guid=1;unix:path=%2fa%") ==
          Addresses{{"/tmp/x", true}, {"/a%", false}});
    CHECK(parse_dbus_addresses("").empty());
    CHECK(parse_dbus_addresses("unix:path=;unix:tmpdir=/tmp;;").empty());
}

TEST_CASE("a call is answered, signals are kept, and answers to others passed over") {
    const warren::test::TempDir dir;
    const auto path = dir.path().string() + "/bus";
    const Peer peer(path, [](const Peer& end) {
        if (!end.expects(bytes("\0AUTH EXTERNAL\r\n"))) {
            return;
        }
        end.send("DATA\r\n");
        if (!end.expects("DATA\r\n")) {
            return;
        }
        end.send("OK 0123\r\n");
        if (!end.expects("BEGIN\r\n")) {
            return;
        }
        const auto hello = end.message();
        end.send(to_bytes(answer_to(hello)));
        const auto call = end.message();
        auto other = answer_to(call);
        other.reply_serial += 100;
        auto answer = answer_to(call);
        answer.member = call.member;
        end.send(to_bytes(signal_named("First")) + to_bytes(other) + to_bytes(answer) +
                 to_bytes(signal_named("Second")));
    });
    auto bus = open_at(path, DbusConnection::Peer::Bus).value();
    DbusMessage request;
    request.path = "/o";
    request.member = "Do";
    const auto answer = bus.call(request, Clock::now() + kBusPatience).value();
    CHECK(answer.type == DbusType::Return);
    CHECK(answer.member == "Do");
    CHECK(bus.next_signal(Clock::now() + kBusPatience).value().member == "First");
    CHECK(bus.next_signal(Clock::now() + kBusPatience).value().member == "Second");
    CHECK_FALSE(bus.next_signal(Clock::now() + kBusPatience));  // the end
}

TEST_CASE("a server that wants our number gets it") {
    const warren::test::TempDir dir;
    const auto path = dir.path().string() + "/bus";
    std::string asked;
    {
        const Peer peer(path, [&asked](const Peer& end) {
            (void)end.expects(bytes("\0AUTH EXTERNAL\r\n"));
            end.send("REJECTED EXTERNAL\r\n");
            asked = end.read(std::string("AUTH EXTERNAL 3\r\n").size() + 1);
            end.send("OK 0123\r\n");
            (void)end.read(1);
        });
        CHECK(open_at(path, DbusConnection::Peer::Service));
    }
    CHECK(asked.starts_with("AUTH EXTERNAL 3"));
}

TEST_CASE("refused, gone, silent or not there: an error in time") {
    const warren::test::TempDir dir;
    const auto refused = dir.path().string() + "/refused";
    {
        const Peer peer(refused, [](const Peer& end) {
            (void)end.expects(bytes("\0AUTH EXTERNAL\r\n"));
            end.send("REJECTED\r\n");
            (void)end.read(1);
            end.send("REJECTED\r\n");
        });
        const auto bus = open_at(refused, DbusConnection::Peer::Bus);
        REQUIRE_FALSE(bus);
        CHECK(bus.error().describe().find("REJECTED") != std::string::npos);
    }
    const auto gone = dir.path().string() + "/gone";
    {
        const Peer peer(gone, [](const Peer&) {});
        CHECK_FALSE(open_at(gone, DbusConnection::Peer::Bus));
    }
    const auto silent = dir.path().string() + "/silent";
    {
        const Peer peer(silent, [](const Peer& end) { (void)end.read(1000); });
        CHECK_FALSE(DbusConnection::open("unix:path=" + silent,
                                         DbusConnection::Peer::Bus,
                                         Clock::now() + std::chrono::milliseconds(50)));
    }
    CHECK_FALSE(open_at(dir.path().string() + "/absent", DbusConnection::Peer::Bus));
    CHECK_FALSE(
        DbusConnection::open("", DbusConnection::Peer::Service, Clock::now() + kBusPatience));
}
