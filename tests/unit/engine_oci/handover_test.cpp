#include "runtime/engine/oci/handover.hpp"

#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>

#include <doctest/doctest.h>

#include "base/socket.hpp"
#include "tests/unit/support/temp_dir.hpp"

namespace warren::engine::oci {

namespace {

base::Fd listen_stream(const std::string& path) {
    base::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(path.size() < sizeof(address.sun_path));
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) ==
            0);
    REQUIRE(::listen(socket.get(), 1) == 0);
    return socket;
}

}  // namespace

TEST_CASE("a descriptor goes over a socket that another listens on") {
    const test::TempDir temp;
    const auto listener = listen_stream((temp.path() / "s").string());
    temp.write("file", "content");
    const auto file = base::open_at(temp.fd(), "file", O_RDONLY);
    REQUIRE(file);
    REQUIRE(hand_over((temp.path() / "s").string(), "name", file.value().get()));
    const auto connection = base::accept_connection(listener.get());
    REQUIRE(connection);
    const auto message = base::receive_message(connection.value().get(), 64, 1);
    REQUIRE(message);
    REQUIRE(message.value());
    CHECK(message.value()->bytes == "name");
    REQUIRE(message.value()->fds.size() == 1);
    const auto text = base::read_all(message.value()->fds.front().get(), 64, "file");
    CHECK(text.value() == "content");
}

TEST_CASE("a socket's path may be longer than an address") {
    const test::TempDir temp;
    const std::string deep(200, 'd');
    temp.make_dir(deep);
    const auto directory = base::open_dir(temp.fd(), deep);
    REQUIRE(directory);
    const auto listener = listen_stream(base::proc_fd_path(directory.value().get()) + "/s");
    CHECK(connect_stream((temp.path() / deep / "s").string()));
}

TEST_CASE("nobody there is an error that names the socket") {
    const test::TempDir temp;
    const auto path = (temp.path() / "none").string();
    const auto connected = connect_stream(path);
    REQUIRE_FALSE(connected);
    CHECK(connected.error().describe().find(path) != std::string::npos);
}

TEST_CASE("a pid file has the digits and nothing else, and replaces what was there") {
    const test::TempDir temp;
    temp.write("pid", "99999999 and more");
    REQUIRE(write_pid_file((temp.path() / "pid").string(), 4711));
    CHECK(temp.read("pid") == "4711");
}

}  // namespace warren::engine::oci
