
#include "tests/unit/spec_oci/support.hpp"

using namespace warren::spec::oci;
using namespace warren::spec::oci::test;
using warren::isolation::Namespace;

TEST_CASE("names of kernel parameters in both notations") {
    CHECK(sysctl_path("net.ipv4.ip_forward") == "net/ipv4/ip_forward");
    CHECK(sysctl_path("net/ipv4/ip_forward") == "net/ipv4/ip_forward");
    CHECK(sysctl_path("net.ipv4.conf.eth0/1.forwarding") == "net/ipv4/conf/eth0.1/forwarding");
    CHECK(sysctl_path("net/ipv4/conf/eth0.1/forwarding") == "net/ipv4/conf/eth0.1/forwarding");
    CHECK(sysctl_path("kernel") == "kernel");
}

TEST_CASE("names that lead elsewhere are none") {
    for (const char* key : {"",
                            "/kernel/sem",
                            "kernel/../../self",
                            "kernel.//.sem",
                            "..",
                            "net..a",
                            "net/./a",
                            "net.",
                            "net.ipv4.//.x",
                            "a/..",
                            "../a"}) {
        CAPTURE(key);
        CHECK_FALSE(sysctl_path(key));
        CHECK_FALSE(sysctl_namespace(key));
    }
    CHECK_FALSE(sysctl_path(std::string_view("a\0b", 3)));
}

TEST_CASE("whose a kernel parameter is") {
    CHECK(sysctl_namespace("net.core.somaxconn") == Namespace::Net);
    CHECK(sysctl_namespace("kernel.shmmax") == Namespace::Ipc);
    CHECK(sysctl_namespace("kernel/sem") == Namespace::Ipc);
    CHECK(sysctl_namespace("fs.mqueue.msg_max") == Namespace::Ipc);
    CHECK(sysctl_namespace("kernel.hostname") == Namespace::Uts);
    CHECK(sysctl_namespace("kernel.domainname") == Namespace::Uts);
    CHECK(sysctl_namespace("user.max_user_namespaces") == Namespace::User);
    for (const char* key : {"kernel.core_pattern",
                            "vm.swappiness",
                            "fs.file-max",
                            "kernel.shm",
                            "netx.a",
                            "fs.mqueue",
                            "kernel.hostname.x"}) {
        CAPTURE(key);
        CHECK_FALSE(sysctl_namespace(key));
    }
}

TEST_CASE(
    "parameters of the host are refused, and those of namespaces that are not the container's") {
    const auto check = [](const char* key, const char* missing) {
        auto json = with(small(), "/linux/sysctl", Json{{key, "1"}});
        auto& namespaces = json["linux"]["namespaces"];
        for (std::size_t i = 0; i < namespaces.size(); ++i) {
            if (namespaces[i]["type"] == missing) {
                namespaces.erase(i);
                break;
            }
        }
        return pointers(check_config(parse(json).value()));
    };
    CHECK(check("net.ipv4.ip_forward", "") == Pointers{});
    CHECK(check("net.ipv4.ip_forward", "network") == Pointers{"/linux/sysctl/net.ipv4.ip_forward"});
    CHECK(check("kernel/sem", "") == Pointers{});
    CHECK(check("kernel/sem", "ipc") == Pointers{"/linux/sysctl/kernel~1sem"});
    CHECK(check("kernel.domainname", "") == Pointers{});
    CHECK(check("kernel.domainname", "uts") == Pointers{"/linux/sysctl/kernel.domainname"});
    CHECK(check("kernel.hostname", "") == Pointers{"/linux/sysctl/kernel.hostname"});
    CHECK(check("user.max_user_namespaces", "") ==
          Pointers{"/linux/sysctl/user.max_user_namespaces"});
    CHECK(check("kernel.core_pattern", "") == Pointers{"/linux/sysctl/kernel.core_pattern"});
    CHECK(check("a~.//.b", "") == Pointers{"/linux/sysctl/a~0.~1~1.b"});
}
