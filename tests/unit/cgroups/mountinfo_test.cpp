#include "cgroups/mountinfo.hpp"

#include "support.hpp"

using namespace warren::cgroups;

TEST_CASE("parse_cgroup_mounts reads roots, places and options") {
    const auto mounts = parse_cgroup_mounts(
        "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:1 - tmpfs tmpfs rw,mode=755\n"
        "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
        "33 31 0:30 / /sys/fs/cgroup/systemd rw shared:2 master:3 - cgroup cgroup rw,name=systemd\n"
        "41 23 0:38 /a\\040b /mnt/c\\011d rw - cgroup2 cgroup2 rw,nsdelegate\n");
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

TEST_CASE("parse_cgroup_mounts leaves out what lies below a mount that covers its parent") {
    // In a box: v2 alone is mounted over the hybrid tree. By age, so the cover may come first.
    const char* const cover = "90 31 0:40 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
    const std::string below =
        "22 22 0:2 / / rw - ext4 /dev/root rw\n"
        "23 22 0:20 / /sys rw - sysfs sysfs rw\n"
        "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
        "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
        "33 31 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
        "34 22 0:30 / /sys/fs/cgroup2 rw - cgroup2 cgroup2 rw\n";
    const auto places = [](const std::string& text) {
        std::string out;
        for (const auto& mount : parse_cgroup_mounts(text)) {
            out += mount.mount_point + (mount.unified ? "* " : " ");
        }
        return out;
    };
    CHECK(places(below) == "/sys/fs/cgroup/cpu /sys/fs/cgroup/unified* ");
    CHECK(places(below + cover) == "/sys/fs/cgroup* ");
    CHECK(places(cover + below) == "/sys/fs/cgroup* ");
    // What hangs in the cover is seen.
    const char* const inner = "91 90 0:41 / /sys/fs/cgroup/x rw - cgroup cgroup rw,cpu\n";
    CHECK(places(below + cover + inner) == "/sys/fs/cgroup* /sys/fs/cgroup/x ");
    const char* const root = "95 22 0:50 / / rw - tmpfs none rw\n";
    CHECK(places(below + cover + root).empty());
}

TEST_CASE("the resctrl file system is found where it is seen") {
    const std::string root = "22 22 0:2 / / rw - ext4 /dev/root rw\n";
    const std::string there = "40 22 0:9 / /sys/fs/res\\040ctrl rw - resctrl resctrl rw\n";
    CHECK_FALSE(find_resctrl_mount(root));
    CHECK(find_resctrl_mount(root + there) == "/sys/fs/res ctrl");
    CHECK_FALSE(find_resctrl_mount(root + there + "50 22 0:8 / /sys rw - tmpfs t rw\n"));
}

TEST_CASE("parse_cgroup_mounts survives a tree that is none") {
    CHECK(parse_cgroup_mounts("1 2 0:1 / /a rw - cgroup2 none rw\n"
                              "2 1 0:1 / /a rw - cgroup2 none rw\n")
              .empty());
    CHECK(parse_cgroup_mounts("1 1 0:1 / /a rw - cgroup2 none rw\n"
                              "1 1 0:1 / /a rw - cgroup2 none rw\n")
              .size() <= 2);
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
