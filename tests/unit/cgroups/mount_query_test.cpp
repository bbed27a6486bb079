#include "cgroups/mount_query.hpp"

#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/utsname.h>

#include "cgroups/host.hpp"
#include "cgroups/mountinfo.hpp"
#include "support.hpp"

using namespace warren::cgroups;
using warren::cgroups::test::TempDir;

TEST_CASE("query_mount tells the same as the list of mounts") {
    const auto host = probe_host().value();
    const auto facts = query_mount(host.mount_point);
    struct utsname names = {};
    REQUIRE(::uname(&names) == 0);
    if (!facts) {
        // Only an older kernel may leave it open.
        CHECK(std::stoi(names.release) <= 6);
        return;
    }
    CHECK(facts->magic == CGROUP2_SUPER_MAGIC);
    const auto mountinfo = warren::base::read_file_at(AT_FDCWD, "/proc/self/mountinfo");
    REQUIRE(mountinfo);
    for (const auto& mount : parse_cgroup_mounts(mountinfo.value())) {
        if (mount.unified && mount.mount_point == host.mount_point) {
            CHECK(facts->root == mount.root);
        }
    }
}

TEST_CASE("query_mount answers for mounts only") {
    const TempDir dir;
    dir.make_dir("plain");
    CHECK(!query_mount(dir.path() / "plain"));
    CHECK(!query_mount(dir.path() / "absent"));
    if (const auto proc = query_mount("/proc")) {
        CHECK(proc->magic == PROC_SUPER_MAGIC);
        CHECK(proc->root == "/");
    }
}
