#include "base/socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>

#include "support.hpp"

using namespace warren::base;
using namespace warren::base::test;

namespace {

constexpr std::size_t kBytes = 64;

struct Pair {
    Fd a;
    Fd b;
};

Pair make_pair() {
    auto pair = seqpacket_pair().value();
    return {std::move(pair.first), std::move(pair.second)};
}

std::vector<Fd> open_nulls(std::size_t count) {
    std::vector<Fd> fds;
    for (std::size_t i = 0; i < count; ++i) {
        fds.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        REQUIRE(fds.back().valid());
    }
    return fds;
}

std::vector<int> numbers(const std::vector<Fd>& fds) {
    std::vector<int> out;
    out.reserve(fds.size());
    for (const Fd& fd : fds) {
        out.push_back(fd.get());
    }
    return out;
}

}  // namespace

TEST_CASE("messages keep their edges, and the end is told from a message") {
    auto [a, b] = make_pair();
    CHECK(is_cloexec(a.get()));
    CHECK(is_cloexec(b.get()));
    REQUIRE(send_message(a.get(), "one").has_value());
    REQUIRE(send_message(a.get(), std::string_view("t\0wo", 4)).has_value());
    REQUIRE(send_message(a.get(), std::string(kBytes, 'x')).has_value());
    CHECK(send_message(a.get(), "").error().error_number() == EINVAL);
    a.reset();
    CHECK(receive_message(b.get(), kBytes, 0).value()->bytes == "one");
    CHECK(receive_message(b.get(), kBytes, 4).value()->bytes == std::string("t\0wo", 4));
    CHECK(receive_message(b.get(), kBytes, 0).value()->bytes == std::string(kBytes, 'x'));
    CHECK(!receive_message(b.get(), kBytes, 0).value().has_value());
    CHECK(send_message(b.get(), "x").error().error_number() == EPIPE);
}

TEST_CASE("descriptors arrive in order and close-on-exec") {
    auto [a, b] = make_pair();
    const TempDir dir;
    dir.write("0", "zero");
    dir.write("1", "one");
    const Fd zero = open_at(dir.fd(), "0", O_RDONLY).value();
    const Fd one = open_at(dir.fd(), "1", O_RDONLY).value();
    const int sent[] = {zero.get(), one.get()};
    REQUIRE(send_message(a.get(), "x", sent).has_value());
    const auto message = std::move(receive_message(b.get(), kBytes, 2).value().value());
    REQUIRE(message.fds.size() == 2);
    CHECK(read_all(message.fds[0].get(), 10, "0").value() == "zero");
    CHECK(read_all(message.fds[1].get(), 10, "1").value() == "one");
    CHECK(is_cloexec(message.fds[0].get()));
    CHECK(is_cloexec(message.fds[1].get()));
}

TEST_CASE("as many descriptors as the kernel carries") {
    auto [a, b] = make_pair();
    const auto fds = open_nulls(kMaxMessageFds);
    REQUIRE(send_message(a.get(), "x", numbers(fds)).has_value());
    CHECK(receive_message(b.get(), kBytes, kMaxMessageFds).value()->fds.size() == kMaxMessageFds);
    const std::vector<int> too_many(kMaxMessageFds + 1, 0);
    CHECK(send_message(a.get(), "x", too_many).error().error_number() == EINVAL);
}

TEST_CASE("a message that is too large is an error and leaks nothing") {
    auto [a, b] = make_pair();
    const auto fds = open_nulls(5);
    const auto before = open_fd_count();
    // Each count against the next smaller room: the control buffer's padding must not let one slip in.
    for (std::size_t count = 1; count <= fds.size(); ++count) {
        CAPTURE(count);
        const auto sent = numbers(fds);
        REQUIRE(send_message(a.get(), "x", std::span(sent).first(count)).has_value());
        CHECK(receive_message(b.get(), kBytes, count - 1).error().error_number() == EMSGSIZE);
        CHECK(open_fd_count() == before);
    }
    REQUIRE(send_message(a.get(), std::string(kBytes + 1, 'x'), numbers(fds)).has_value());
    CHECK(receive_message(b.get(), kBytes, 5).error().error_number() == EMSGSIZE);
    CHECK(open_fd_count() == before);
    REQUIRE(send_message(a.get(), "next").has_value());
    CHECK(receive_message(b.get(), kBytes, 0).value()->bytes == "next");
}

TEST_CASE("an empty non-blocking socket says so") {
    auto [a, b] = make_pair();
    REQUIRE(::fcntl(b.get(), F_SETFL, O_NONBLOCK) == 0);
    CHECK(receive_message(b.get(), kBytes, 0).error().error_number() == EAGAIN);
}

TEST_CASE("a listener in a directory with a path longer than sun_path") {
    const TempDir dir;
    std::string deep;
    for (int i = 0; i < 10; ++i) {
        deep += std::string(50, 'd') + "/";
    }
    REQUIRE(make_dirs(dir.fd(), deep, 0700).has_value());
    const Fd place = open_at(dir.fd(), deep, O_PATH | O_DIRECTORY).value();
    const Fd listener = listen_at(place.get(), "control.sock").value();
    struct stat info = {};
    REQUIRE(::fstatat(place.get(), "control.sock", &info, 0) == 0);
    CHECK((info.st_mode & 07777U) == 0600U);
    CHECK(S_ISSOCK(info.st_mode));

    const Fd client = connect_at(place.get(), "control.sock").value();
    const Fd server = accept_connection(listener.get()).value();
    for (const int fd : {listener.get(), client.get(), server.get()}) {
        CHECK(is_cloexec(fd));
    }
    REQUIRE(send_message(client.get(), "hello").has_value());
    CHECK(receive_message(server.get(), kBytes, 0).value()->bytes == "hello");
    CHECK(peer_credentials(server.get()).value() ==
          PeerCredentials{::getpid(), ::geteuid(), ::getegid()});

    CHECK(listen_at(place.get(), "control.sock").error().error_number() == EADDRINUSE);
    CHECK(connect_at(place.get(), "absent").error().error_number() == ENOENT);
}

TEST_CASE("a socket's name is a name") {
    const TempDir dir;
    for (const std::string name : {"", ".", "..", "a/b", "../x", "/tmp/x"}) {
        CAPTURE(name);
        CHECK(listen_at(dir.fd(), name).error().error_number() == EINVAL);
        CHECK(connect_at(dir.fd(), name).error().error_number() == EINVAL);
    }
    CHECK(listen_at(dir.fd(), std::string("a\0b", 3)).error().error_number() == EINVAL);
    CHECK(listen_at(dir.fd(), std::string(108, 'x')).error().error_number() == ENAMETOOLONG);
    CHECK(listen_at(-1, "x").error().error_number() == EINVAL);
}

TEST_CASE("credentials name the process that connected") {
    const TempDir dir;
    const Fd listener = listen_at(dir.fd(), "s").value();
    const pid_t child = spawn([&dir] {
        const auto client = connect_at(dir.fd(), "s");
        return client && receive_message(client.value().get(), kBytes, 0) ? 0 : 1;
    });
    Fd server = accept_connection(listener.get()).value();
    CHECK(peer_credentials(server.get()).value().pid == child);
    server.reset();
    CHECK(wait_for(child) == 0);
    CHECK(peer_credentials(dir.fd()).error().error_number() == ENOTSOCK);
}
