#include "isolation/capabilities.hpp"

#include <string>

#include <linux/capability.h>

#include <doctest/doctest.h>

#include "base/fd.hpp"

namespace {

using namespace warren;
using isolation::GuestKind;

constexpr std::uint64_t bit(int capability) {
    return std::uint64_t{1} << static_cast<unsigned>(capability);
}

}  // namespace

TEST_CASE("capabilities by name") {
    for (const char* name :
         {"CAP_NET_ADMIN", "cap_net_admin", "net_admin", "NET_ADMIN", "Net_Admin"}) {
        CHECK(isolation::parse_capability(name).value() == bit(CAP_NET_ADMIN));
    }
    CHECK(isolation::parse_capability("chown").value() == bit(CAP_CHOWN));
    CHECK(isolation::parse_capability("CAP_CHECKPOINT_RESTORE").value() == bit(40));
}

TEST_CASE("what is no capability's name") {
    const std::string long_name(5000, 'a');
    for (const std::string name : {"",
                                   "cap_",
                                   "all",
                                   "12",
                                   "cap_12",
                                   "net admin",
                                   "net_admin,chown",
                                   "net_admin\n",
                                   "CAP_CAP_CHOWN",
                                   long_name.c_str()}) {
        const auto result = isolation::parse_capability(name);
        REQUIRE_MESSAGE(!result, name);
        CHECK(result.error().kind() == base::ErrorKind::Usage);
    }
}

TEST_CASE("names of a mask, and back") {
    CHECK(isolation::capability_names(0).empty());
    CHECK(isolation::capability_names(bit(CAP_CHOWN) | bit(CAP_SYS_ADMIN)) ==
          std::vector<std::string>{"CAP_CHOWN", "CAP_SYS_ADMIN"});
    std::uint64_t mask = 0;
    for (const std::string& name : isolation::capability_names(isolation::all_capabilities())) {
        mask |= isolation::parse_capability(name).value();
    }
    CHECK(mask == isolation::all_capabilities());
}

TEST_CASE("all capabilities are those of the running kernel") {
    const auto text = base::read_file_at(AT_FDCWD, "/proc/sys/kernel/cap_last_cap").value();
    const auto last = static_cast<unsigned>(std::stoul(text));
    CHECK(isolation::all_capabilities() == (std::uint64_t{2} << last) - 1);
}

TEST_CASE("default bounding sets") {
    const auto machine = isolation::default_bounding(GuestKind::Machine, false);
    const auto command = isolation::default_bounding(GuestKind::Command, false);
    CHECK(command == 0xa80425fb);  // the set of docker
    CHECK((command & ~machine) == 0);
    for (const int wanted :
         {CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_SYS_BOOT, CAP_SETFCAP, CAP_SYS_RESOURCE}) {
        CHECK((machine & bit(wanted)) != 0);
    }
    for (const int never : {CAP_SYS_MODULE,
                            CAP_SYS_RAWIO,
                            CAP_SYS_TIME,
                            CAP_SYSLOG,
                            CAP_MAC_ADMIN,
                            CAP_MAC_OVERRIDE,
                            CAP_BPF,
                            CAP_PERFMON,
                            CAP_WAKE_ALARM,
                            CAP_BLOCK_SUSPEND,
                            CAP_AUDIT_CONTROL,
                            CAP_AUDIT_READ}) {
        CHECK((machine & bit(never)) == 0);
    }
}

TEST_CASE("without a user namespace the set shrinks") {
    for (const GuestKind kind : {GuestKind::Machine, GuestKind::Command}) {
        const auto mapped = isolation::default_bounding(kind, false);
        const auto host = isolation::default_bounding(kind, true);
        CHECK((host & ~mapped) == 0);
        CHECK(host != mapped);
        for (const int never : {CAP_SYS_ADMIN,
                                CAP_NET_ADMIN,
                                CAP_NET_RAW,
                                CAP_MKNOD,
                                CAP_SYS_PTRACE,
                                CAP_DAC_READ_SEARCH}) {
            CHECK((host & bit(never)) == 0);
        }
    }
    CHECK((isolation::default_bounding(GuestKind::Machine, true) & bit(CAP_SYS_BOOT)) != 0);
}

TEST_CASE("a process starts with what its user needs") {
    const auto root = isolation::process_capabilities(0xff, true);
    CHECK(root == isolation::CapSets{.bounding = 0xff, .effective = 0xff, .permitted = 0xff});
    const auto other = isolation::process_capabilities(0xff, false);
    CHECK(other == isolation::CapSets{.bounding = 0xff});
}
