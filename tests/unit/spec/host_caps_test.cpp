#include "runtime/spec/host_caps.hpp"

#include <filesystem>
#include <string>

#include <sys/utsname.h>

#include <doctest/doctest.h>

#include "tests/unit/base/support.hpp"

using namespace warren::spec;
using warren::base::test::TempDir;

namespace {

// A root with the files of procfs that are read.
class FakeRoot {
public:
    FakeRoot() {
        std::filesystem::create_directories(dir_.path() / "proc/self/ns");
        std::filesystem::create_directories(dir_.path() / "proc/sys/kernel/seccomp");
        std::filesystem::create_directories(dir_.path() / "proc/sys/user");
        dir_.write("proc/self/mountinfo", "");
        dir_.write("proc/self/cgroup", "0::/\n");
        dir_.write("proc/sys/kernel/osrelease", "6.1.0-test\n");
        status("0", "000001ffffffffff", "000001ffffffffff");
        dir_.write("proc/self/ns/user", "");
        dir_.write("proc/self/ns/time", "");
        dir_.write("proc/sys/user/max_user_namespaces", "1000\n");
        dir_.write("proc/sys/kernel/seccomp/actions_avail", "allow\n");
    }

    void status(const std::string& uid,
                const std::string& effective,
                const std::string& bounding) const {
        dir_.write("proc/self/status",
                   "Name:\tx\nUid:\t1000\t" + uid + "\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t" +
                       effective + "\nCapBnd:\t" + bounding + "\nSeccomp:\t0\n");
    }

    void remove(const std::string& path) const { std::filesystem::remove(dir_.path() / path); }

    void write(const std::string& path, const std::string& text) const { dir_.write(path, text); }

    [[nodiscard]] HostCaps probe() const {
        auto caps = probe_host_caps(dir_.path().string());
        REQUIRE(caps);
        return caps.value();
    }

    [[nodiscard]] std::string path() const { return dir_.path().string(); }

private:
    TempDir dir_;
};

}  // namespace

TEST_CASE("a host with everything") {
    const FakeRoot root;
    const auto caps = root.probe();
    CHECK(caps.kernel_release == "6.1.0-test");
    CHECK(caps.is_root);
    CHECK(caps.user_namespaces);
    CHECK(caps.time_namespaces);
    CHECK(caps.seccomp_filter);
    CHECK(caps.capabilities == 0x1ffffffffff);
    CHECK(caps.cgroup.mode == warren::cgroups::HostMode::Absent);
}

TEST_CASE("what the kernel lacks is not there") {
    const FakeRoot root;
    root.remove("proc/self/ns/time");
    root.remove("proc/sys/kernel/seccomp/actions_avail");
    root.write("proc/sys/user/max_user_namespaces", "0\n");
    const auto caps = root.probe();
    CHECK_FALSE(caps.time_namespaces);
    CHECK_FALSE(caps.seccomp_filter);
    CHECK_FALSE(caps.user_namespaces);
    root.remove("proc/sys/user/max_user_namespaces");
    CHECK_FALSE(root.probe().user_namespaces);
    root.write("proc/sys/user/max_user_namespaces", "10\n");
    CHECK(root.probe().user_namespaces);
    root.remove("proc/self/ns/user");
    CHECK_FALSE(root.probe().user_namespaces);
}

TEST_CASE("root is the effective user with CAP_SYS_ADMIN") {
    const FakeRoot root;
    root.status("1000", "000001ffffffffff", "0");
    CHECK_FALSE(root.probe().is_root);
    root.status("0", "0000000000000400", "00000000a80425fb");
    const auto caps = root.probe();
    CHECK_FALSE(caps.is_root);
    CHECK(caps.capabilities == 0xa80425fb);
}

TEST_CASE("a status that cannot be read is an error, not a guess") {
    const FakeRoot root;
    root.status("0", "xyz", "0");
    CHECK_FALSE(probe_host_caps(root.path()));
    root.status("0", "1ffffffffff", "");
    CHECK_FALSE(probe_host_caps(root.path()));
    root.write("proc/self/status", "Name:\tx\n");
    CHECK_FALSE(probe_host_caps(root.path()));
    root.remove("proc/self/status");
    CHECK_FALSE(probe_host_caps(root.path()));
}

TEST_CASE("this host answers") {
    const auto caps = probe_host_caps();
    REQUIRE(caps);
    struct utsname names = {};
    REQUIRE(::uname(&names) == 0);
    CHECK(caps.value().kernel_release == names.release);
}
