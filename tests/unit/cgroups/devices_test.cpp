#include <cerrno>

#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cgroups/device_program.hpp"
#include "support.hpp"

using namespace warren;
using namespace warren::cgroups;
using namespace warren::cgroups::test;

namespace {

// The errno of opening a device inside the cgroup; 0 when it works.
int open_inside(const Cgroup& cgroup, const char* path, int flags) {
    return Process(cgroup.dir(), [=] { return ::open(path, flags | O_CLOEXEC) >= 0 ? 0 : errno; })
        .wait();
}

int make_inside(const Cgroup& cgroup, const std::string& path, dev_t device) {
    return Process(cgroup.dir(),
                   [=] { return ::mknod(path.c_str(), S_IFCHR | 0600, device) == 0 ? 0 : errno; })
        .wait();
}

std::size_t attached_programs(const Cgroup& cgroup) {
    std::uint32_t ids[64] = {};
    union bpf_attr attributes = {};
    attributes.query.target_fd = static_cast<std::uint32_t>(cgroup.dir());
    attributes.query.attach_type = BPF_CGROUP_DEVICE;
    attributes.query.prog_ids = reinterpret_cast<std::uintptr_t>(ids);
    attributes.query.prog_cnt = 64;
    REQUIRE(::syscall(SYS_bpf, BPF_PROG_QUERY, &attributes, sizeof(attributes)) == 0);
    return attributes.query.prog_cnt;
}

}  // namespace

TEST_CASE("the kernel holds a guest to its device list") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    const TempDir dir;
    CHECK(open_inside(cgroup, "/dev/zero", O_RDWR) == 0);
    auto set = cgroup.set_devices({{'c', 1, 3}, {'c', 1, 5, true, false, false}});
    if (!set && set.error().error_number() == EPERM) {
        MESSAGE("skipped: this kernel or container has no bpf(2) for us");
        return;
    }
    REQUIRE(set);
    CHECK(open_inside(cgroup, "/dev/null", O_RDWR) == 0);
    CHECK(open_inside(cgroup, "/dev/zero", O_RDONLY) == 0);
    CHECK(open_inside(cgroup, "/dev/zero", O_RDWR) == EPERM);
    CHECK(open_inside(cgroup, "/dev/full", O_RDONLY) == EPERM);
    CHECK(make_inside(cgroup, dir.path() / "node", makedev(1, 3)) == EPERM);
    CHECK(attached_programs(cgroup) == 1);

    // Set again: the new list alone counts, and no program is left over.
    REQUIRE(cgroup.set_devices({{'c', 1, 7}, {'c', {}, {}, false, false, true}}));
    CHECK(attached_programs(cgroup) == 1);
    CHECK(open_inside(cgroup, "/dev/full", O_RDONLY) == 0);
    CHECK(open_inside(cgroup, "/dev/null", O_RDONLY) == EPERM);
    const int made = make_inside(cgroup, dir.path() / "node", makedev(1, 3));
    CHECK(made == 0);

    REQUIRE(cgroup.set_devices({}));
    CHECK(open_inside(cgroup, "/dev/full", O_RDONLY) == EPERM);
    REQUIRE(cgroup.set_devices({{'a', {}, {}, true, true, true}}));
    CHECK(open_inside(cgroup, "/dev/zero", O_RDWR) == 0);
    CHECK(attached_programs(cgroup) == 1);
}

TEST_CASE("a program of the longest list passes the verifier, and sub-cgroups inherit it") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    std::vector<DeviceAccess> rules(1023, DeviceAccess{'b', 7, 9, true, true, false});
    rules.push_back({'c', 1, 3});
    const auto set = cgroup.set_devices(rules);
    if (!set && set.error().error_number() == EPERM) {
        MESSAGE("skipped: this kernel or container has no bpf(2) for us");
        return;
    }
    if (!set) {
        FAIL(set.error().describe());
    }
    // Verified with each rule leaving another kind of access undecided.
    std::vector<DeviceRule> mixed;
    for (std::uint32_t i = 0; i < 1023; ++i) {
        mixed.push_back(
            {i % 2 == 0, i % 3 == 0 ? 'b' : 'c', i, {}, i % 5 != 0, i % 7 < 3, i % 4 < 2});
    }
    mixed.push_back({true, 'c', 1, 3});
    const auto mixed_set = replace_device_program(cgroup.dir(), mixed);
    if (!mixed_set) {
        FAIL(mixed_set.error().describe());
    }
    const base::Fd exec = cgroup.exec_dir(0, 0).value();
    const auto open_in_exec = [&](const char* path) {
        return Process(exec.get(),
                       [=] { return ::open(path, O_RDONLY | O_CLOEXEC) >= 0 ? 0 : errno; })
            .wait();
    };
    CHECK(open_in_exec("/dev/null") == 0);
    CHECK(open_in_exec("/dev/zero") == EPERM);
}
