#include "cgroups/block_device.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "support.hpp"

using namespace warren;
using namespace warren::cgroups;
using warren::cgroups::test::TempDir;

namespace {

// A disk 8:0 with the partition 8:1, and a loop device.
void lay_sys(const TempDir& dir) {
    dir.write("devices/pci/sda/dev", "8:0\n");
    dir.write("devices/pci/sda/sda1/dev", "8:1\n");
    dir.write("devices/pci/sda/sda1/partition", "1\n");
    dir.write("devices/virtual/loop0/dev", "7:0\n");
    dir.link("dev/block/8:0", "../../devices/pci/sda");
    dir.link("dev/block/8:1", "../../devices/pci/sda/sda1");
    dir.link("dev/block/7:0", "../../devices/virtual/loop0");
}

}  // namespace

TEST_CASE("find_disk takes disks as they are and partitions to their disk") {
    const TempDir sys;
    lay_sys(sys);
    CHECK(find_disk("8:0", sys.path()).value() == BlockDevice{8, 0});
    CHECK(find_disk("8:1", sys.path()).value() == BlockDevice{8, 0});
    CHECK(find_disk("7:0", sys.path()).value() == BlockDevice{7, 0});
}

TEST_CASE("find_disk refuses what is no device, by name") {
    const TempDir sys;
    lay_sys(sys);
    for (const char* bad : {"8:2", "9:0", "", "sda", "8:0:1", "-8:0", "4096:0", "0:1048576", "/"}) {
        CAPTURE(bad);
        const auto disk = find_disk(bad, sys.path());
        REQUIRE(!disk);
        CHECK(disk.error().kind() == base::ErrorKind::Usage);
        CHECK(disk.error().describe().find("\"" + std::string(bad) + "\"") != std::string::npos);
    }
    CHECK(!find_disk(std::string("/dev\0/null", 10), sys.path()));
}

TEST_CASE("find_disk refuses a partition whose disk makes no sense") {
    const TempDir sys;
    lay_sys(sys);
    sys.write("devices/pci/sda/dev", "what\n");
    const auto disk = find_disk("8:1", sys.path());
    REQUIRE(!disk);
    CHECK(disk.error().describe().find("what") != std::string::npos);
}

TEST_CASE("find_disk takes a path for the device of its file system") {
    struct stat info = {};
    REQUIRE(::stat("/usr", &info) == 0);
    const TempDir sys;
    if (major(info.st_dev) == 0) {
        const auto disk = find_disk("/usr", sys.path());
        REQUIRE(!disk);
        CHECK(disk.error().describe().find("name the disk itself") != std::string::npos);
        return;
    }
    const BlockDevice device{major(info.st_dev), minor(info.st_dev)};
    const auto numbers = std::to_string(device.major) + ":" + std::to_string(device.minor);
    sys.write("dev/block/" + numbers + "/dev", numbers + "\n");
    CHECK(find_disk("/usr", sys.path()).value() == device);
}
