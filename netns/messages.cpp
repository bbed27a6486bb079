#include "netns/messages.hpp"

#include <array>

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>

namespace warren::netns {

namespace {

// What net_namespaces(7) promises of a new one: lo is the first interface.
constexpr int kLoopbackIndex = 1;

}  // namespace

base::Result<Message> loopback_up() {
    alignas(nlmsghdr) std::array<std::byte, 128> buffer{};
    static_assert(sizeof buffer >= NLMSG_SPACE(sizeof(ifinfomsg)));
    nlmsghdr* header = mnl_nlmsg_put_header(buffer.data());
    header->nlmsg_type = RTM_NEWLINK;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    header->nlmsg_seq = 1;
    auto* link = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(header, sizeof(ifinfomsg)));
    link->ifi_family = AF_UNSPEC;
    link->ifi_index = kLoopbackIndex;
    link->ifi_flags = IFF_UP;
    link->ifi_change = IFF_UP;
    return Message{.bytes = {buffer.begin(), buffer.begin() + header->nlmsg_len},
                   .purpose = "set lo up"};
}

}  // namespace warren::netns
