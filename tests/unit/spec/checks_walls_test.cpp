#include "tests/unit/spec/support.hpp"

using namespace warren::spec;
using namespace warren::spec::test;
namespace isolation = warren::isolation;

namespace {

GuestConfig with_mounts(std::vector<BindMount> mounts) {
    auto config = machine();
    config.mounts = std::move(mounts);
    return config;
}

GuestConfig with_devices(std::vector<DeviceRequest> devices) {
    auto config = machine();
    config.security.devices = std::move(devices);
    return config;
}

constexpr const char* kProfile =
    R"({"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],)"
    R"("syscalls":[{"names":["read","write","exit_group"],"action":"SCMP_ACT_ALLOW"}]})";

}  // namespace

TEST_CASE("mounts go from an absolute path to an absolute path") {
    CHECK(places(check_mounts,
                 with_mounts({{"/srv", "/srv", true},
                              {"/srv", "/mnt/a"},
                              {"/etc/hosts", "/etc/hosts"},
                              {"/dev/shm/x", "/dev/x"}}))
              .empty());
    CHECK(places(check_mounts, with_mounts({{"srv", "/srv"}, {"/srv", "srv"}, {"", ""}})) ==
          "--mount 1; --mount 2; --mount 3; --mount 3");
    CHECK(places(check_mounts, with_mounts({{std::string("/a\0b", 4), "/\xff"}})) ==
          "--mount 1; --mount 1");
}

TEST_CASE("mounts leave alone what is not theirs") {
    for (const char* target : {"/",
                               "//",
                               "/.",
                               "/a/../..",
                               "/../etc",
                               "/proc",
                               "/proc/",
                               "/sys",
                               "//sys/.",
                               "/dev",
                               "/sys/fs/cgroup"}) {
        CHECK(places(check_mounts, with_mounts({{"/srv", target}})) == "--mount 1");
    }
    CHECK(text_of(check_mounts, with_mounts({{"/srv", "//proc/"}})) ==
          "the target /proc is one that every guest gets of its own");
}

TEST_CASE("no two mounts have one target, however it is written") {
    CHECK(places(check_mounts,
                 with_mounts({{"/a", "/mnt/x"}, {"/b", "/mnt/y"}, {"/c", "/mnt//x/"}})) ==
          "--mount 3");
}

TEST_CASE("mounts and devices are bounded in number") {
    std::vector<BindMount> mounts;
    std::vector<DeviceRequest> devices;
    for (int i = 0; i < 100; ++i) {
        mounts.push_back({"/srv", "/mnt/" + std::to_string(i)});
        devices.push_back({"/dev/d" + std::to_string(i), "r"});
    }
    CHECK(places(check_mounts, with_mounts(mounts)).empty());
    CHECK(places(check_devices, with_devices(devices)).empty());
    mounts.push_back({"/srv", "/mnt/more"});
    devices.push_back({"/dev/more", "r"});
    CHECK(places(check_mounts, with_mounts(mounts)) == "--mount");
    CHECK(places(check_devices, with_devices(devices)) == "--device");
}

TEST_CASE("devices are plain paths below /dev with letters of rwm") {
    CHECK(places(check_devices,
                 with_devices({{"/dev/fuse"}, {"/dev/net/tun", "rw"}, {"/dev/x", "m"}}))
              .empty());
    for (const char* path : {"",
                             "/dev",
                             "/dev/",
                             "dev/fuse",
                             "/etc/passwd",
                             "/devil",
                             "/dev/../etc",
                             "/dev//fuse",
                             "/dev/./fuse",
                             "/dev/fuse/"}) {
        CHECK(places(check_devices, with_devices({{path, "r"}})) == "--device 1");
    }
    for (const char* access : {"", "x", "rr", "rwmr", "RW", "r w"}) {
        CHECK(places(check_devices, with_devices({{"/dev/fuse", access}})) == "--device 1");
    }
    CHECK(text_of(check_devices, with_devices({{"/dev/a"}, {"/dev/a"}})) ==
          "/dev/a is there already");
}

TEST_CASE("a capability is added or dropped, not both") {
    auto config = machine();
    auto& security = config.security;
    security.cap_add = capability("net_raw");
    security.cap_drop = capability("sys_admin");
    CHECK(places(check_capabilities, config).empty());
    security.cap_drop |= capability("net_raw");
    CHECK(places(check_capabilities, config) == "--cap-add");
    CHECK(text_of(check_capabilities, config).find("NET_RAW") != std::string::npos);
    CHECK(text_of(check_capabilities, config).find("SYS_ADMIN") == std::string::npos);
}

TEST_CASE("none but these and all but these are no contradictions") {
    auto config = machine();
    config.security.cap_add = capability("net_raw");
    config.security.cap_drop = isolation::all_capabilities();
    CHECK(places(check_capabilities, config).empty());
    std::swap(config.security.cap_add, config.security.cap_drop);
    CHECK(places(check_capabilities, config).empty());
    config.security.cap_drop = isolation::all_capabilities();
    CHECK(places(check_capabilities, config) == "--cap-add");
}

TEST_CASE("a seccomp profile is read before anything is changed") {
    auto config = machine();
    CHECK(places(check_seccomp, config).empty());
    config.security.seccomp_unconfined = true;
    CHECK(places(check_seccomp, config).empty());
    config.security.seccomp_file_text = kProfile;
    CHECK(text_of(check_seccomp, config) == "a profile and unconfined at once");
    config.security.seccomp_unconfined = false;
    CHECK(places(check_seccomp, config).empty());
    for (const std::string& bad : {std::string("{"),
                                   std::string("[]"),
                                   std::string(R"({"defaultAction":"SCMP_ACT_NONSENSE"})"),
                                   std::string("\xff"),
                                   std::string((1U << 20) + 1, ' ')}) {
        config.security.seccomp_file_text = bad;
        CHECK(places(check_seccomp, config) == "--seccomp");
    }
}

TEST_CASE("nesting needs a user namespace and an init") {
    auto config = machine();
    config.security.nesting = true;
    CHECK(places(check_nesting, config).empty());
    config.security.users = Wall::Host;
    CHECK(places(check_nesting, config) == "--nesting");
    config = command_guest();
    CHECK(places(check_nesting, config).empty());
    config.security.nesting = true;
    CHECK(places(check_nesting, config) == "--nesting");
}
