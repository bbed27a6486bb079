#include "netns/messages.hpp"

#include <cstring>

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

namespace warren::netns {

namespace {

// What net_namespaces(7) promises of a new one: lo is the first interface.
constexpr int kLoopbackIndex = 1;

}  // namespace

base::Result<Message> loopback_up() {
    nlmsghdr header{};
    header.nlmsg_len = NLMSG_LENGTH(sizeof(ifinfomsg));
    header.nlmsg_type = RTM_NEWLINK;
    header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    header.nlmsg_seq = 1;
    ifinfomsg link{};
    link.ifi_family = AF_UNSPEC;
    link.ifi_index = kLoopbackIndex;
    link.ifi_flags = IFF_UP;
    link.ifi_change = IFF_UP;
    Message message{.bytes = std::vector<std::byte>(header.nlmsg_len), .purpose = "set lo up"};
    std::memcpy(message.bytes.data(), &header, sizeof(header));
    std::memcpy(message.bytes.data() + NLMSG_HDRLEN, &link, sizeof(link));
    return message;
}

}  // namespace warren::netns
