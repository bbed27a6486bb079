#include "cgroups/mountinfo.hpp"

#include "support.hpp"

using namespace warren::cgroups;

TEST_CASE("parse_cgroup_mounts reads roots, places and options") {
    const auto mounts = parse_cgroup_mounts(
        "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:1 - tmpfs tmpfs rw,mode=755\n"
        "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
        "33 31 0:30 / /sys/fs/cgroup/systemd rw shared:2 master:3 - cgroup cgroup rw,name=systemd\n"
        "41 31 0:38 /a\\040b /mnt/c\\011d rw - cgroup2 cgroup2 rw,nsdelegate\n");
    REQUIRE(mounts.size() == 3);
    CHECK(!mounts[0].unified);
    CHECK(mounts[0].mount_point == "/sys/fs/cgroup/cpu,cpuacct");
    CHECK(mounts[0].options == "rw,cpu,cpuacct");
    CHECK(mounts[0].controllers());
    CHECK(!mounts[1].controllers());
    CHECK(mounts[2].unified);
    CHECK(mounts[2].root == "/a b");
    CHECK(mounts[2].mount_point == "/mnt/c\td");
    CHECK(!mounts[2].controllers());
}

TEST_CASE("parse_cgroup_mounts leaves out what another mount covers") {
    const auto mounts = parse_cgroup_mounts(
        "1 0 0:1 / /cg rw - cgroup2 none rw\n"
        "2 0 0:1 / /other rw - cgroup2 none rw\n"
        "3 1 0:2 / /cg rw - tmpfs none rw\n");
    REQUIRE(mounts.size() == 1);
    CHECK(mounts[0].mount_point == "/other");
}

TEST_CASE("parse_cgroup_mounts survives lines that are none") {
    for (const char* text : {"",
                             "\n",
                             "1",
                             "1 0 0:1 / /cg rw",
                             "1 0 0:1 / /cg rw -",
                             "1 0 0:1 / /cg rw - ",
                             "1 0 0:1 / relative rw - cgroup2 none rw",
                             "1 0 0:1 / \\04 rw - cgroup2 none rw",
                             "- - - - - - - - -"}) {
        CAPTURE(text);
        CHECK(parse_cgroup_mounts(text).empty());
    }
}
