#include "netns/messages.hpp"

#include <array>
#include <cstdio>
#include <cstring>

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

using namespace warren;

TEST_CASE("the request says: link 1, up, answer me") {
    const auto message = netns::loopback_up();
    REQUIRE(message.has_value());
    const auto& bytes = message.value().bytes;
    REQUIRE(bytes.size() == NLMSG_SPACE(sizeof(ifinfomsg)));
    nlmsghdr header{};
    std::memcpy(&header, bytes.data(), sizeof header);
    CHECK(header.nlmsg_len == bytes.size());
    CHECK(header.nlmsg_type == RTM_NEWLINK);
    CHECK(header.nlmsg_flags == (NLM_F_REQUEST | NLM_F_ACK));
    ifinfomsg link{};
    std::memcpy(&link, bytes.data() + NLMSG_HDRLEN, sizeof link);
    CHECK(link.ifi_index == 1);
    CHECK(link.ifi_flags == IFF_UP);
    CHECK(link.ifi_change == IFF_UP);
    CHECK(message.value().purpose == "set lo up");
}

namespace {

// In a network namespace of its own. 0: lo was down and is up; 77: may not make one; else what went
// wrong.
int bring_up(const std::vector<std::byte>& request) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        return 77;
    }
    const int netlink = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    const int query = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq interface {};
    (void)std::snprintf(interface.ifr_name, sizeof interface.ifr_name, "lo");
    if (::ioctl(query, SIOCGIFFLAGS, &interface) != 0 || (interface.ifr_flags & IFF_UP) != 0) {
        return 2;
    }
    if (::send(netlink, request.data(), request.size(), 0) !=
        static_cast<ssize_t>(request.size())) {
        return 3;
    }
    std::array<char, 512> answer{};
    const ssize_t got = ::recv(netlink, answer.data(), answer.size(), 0);
    nlmsghdr header{};
    nlmsgerr result{};
    if (got < static_cast<ssize_t>(sizeof header + sizeof result)) {
        return 4;
    }
    std::memcpy(&header, answer.data(), sizeof header);
    std::memcpy(&result, answer.data() + NLMSG_HDRLEN, sizeof result);
    if (header.nlmsg_type != NLMSG_ERROR || result.error != 0) {
        return 5;
    }
    return ::ioctl(query, SIOCGIFFLAGS, &interface) == 0 && (interface.ifr_flags & IFF_UP) != 0 ? 0
                                                                                                : 6;
}

}  // namespace

TEST_CASE("the kernel brings lo up in a new network namespace") {
    const auto message = netns::loopback_up();
    REQUIRE(message.has_value());
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::_exit(bring_up(message.value().bytes));
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        MESSAGE("skipped: this process may not make a network namespace");
        return;
    }
    CHECK(WEXITSTATUS(status) == 0);
}
