// Files in place of the resctrl file system: what the kernel would make in a new group, the tests make.
#include "cgroups/resctrl.hpp"

#include <doctest/doctest.h>

#include "tests/unit/support/temp_dir.hpp"

using namespace warren;
using cgroups::Resctrl;

namespace {

void fill_root(const warren::test::TempDir& root) {
    root.write("info/L3/cbm_mask", "fffff\n");
    root.write("info/L3/num_closids", "16\n");
    root.write("info/MB/min_bandwidth", "10\n");
    root.write("info/L3_MON/mon_features", "llc_occupancy\nmbm_local_bytes\n");
    root.write("info/last_cmd_status", "ok\n");
    root.write("schemata", "    MB:0=100;1=100\n    L3:0=fffff;1=fffff\n");
}

void fill_group(const warren::test::TempDir& root,
                const std::string& group,
                const std::string& schemata) {
    root.write(group + "/schemata", schemata);
    root.write(group + "/tasks", "");
    root.make_dir(group + "/mon_groups");
}

Resctrl opened(const warren::test::TempDir& root) {
    auto resctrl = Resctrl::open(root.path().string());
    REQUIRE(resctrl);
    return std::move(resctrl).value();
}

std::string words(const base::Status& status) {
    return status ? "" : status.error().describe();
}

}  // namespace

TEST_CASE("what does not look like resctrl is not mounted") {
    const warren::test::TempDir root;
    const auto empty = Resctrl::open(root.path().string());
    REQUIRE_FALSE(empty);
    CHECK(empty.error().kind() == base::ErrorKind::Unsupported);
    CHECK(empty.error().what() == "resctrl is not mounted at " + root.path().string());
    CHECK_FALSE(Resctrl::open(root.path().string() + "/absent"));
}

TEST_CASE("resources and counters are there or refused") {
    const warren::test::TempDir root;
    fill_root(root);
    const auto resctrl = opened(root);
    CHECK(resctrl.check_resources(""));
    CHECK(resctrl.check_resources("L3:0=f;1=f\nMB:0=20\n"));
    const auto absent = resctrl.check_resources("L3:0=f\nL2:0=f\n");
    REQUIRE_FALSE(absent);
    CHECK(absent.error().kind() == base::ErrorKind::Unsupported);
    CHECK(absent.error().what().find("no resource L2 (") != std::string::npos);
    for (const char* text : {"L3", "L3:0", ":0=f", "../L3:0=f", "L3:0=f\nnonsense"}) {
        CAPTURE(text);
        const auto refused = resctrl.check_resources(text);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().kind() == base::ErrorKind::Usage);
    }
    CHECK(resctrl.check_counters(true, true));
    root.write("info/L3_MON/mon_features", "mbm_total_bytes\n");
    CHECK(resctrl.check_counters(false, true));
    CHECK(words(resctrl.check_counters(true, false)).find("cache occupancy") != std::string::npos);
    std::filesystem::remove_all(root.path() / "info/L3_MON");
    CHECK(resctrl.check_counters(false, false));
    CHECK(words(resctrl.check_counters(false, true)).find("bandwidth") != std::string::npos);
}

TEST_CASE("a group is made, filled, and removed") {
    const warren::test::TempDir root;
    fill_root(root);
    const auto resctrl = opened(root);
    CHECK_FALSE(resctrl.has("one").value());
    CHECK(resctrl.make("one").value());
    CHECK_FALSE(resctrl.make("one").value());
    CHECK(resctrl.has("one").value());
    CHECK(resctrl.remove("one"));
    CHECK(resctrl.remove("one"));
    CHECK_FALSE(root.has("one"));

    fill_group(root, "two", "");
    CHECK(resctrl.write_schemata("two", ""));
    CHECK(root.read("two/schemata").empty());
    CHECK(resctrl.write_schemata("two", "L3:0=f\nMB:0=20"));
    CHECK(root.read("two/schemata") == "L3:0=f\nMB:0=20\n");
    CHECK(resctrl.add_process("two", "id", 4711));
    CHECK(root.read("two/tasks") == "4711");
    CHECK(resctrl.make_counters("two", "id"));
    CHECK(resctrl.make_counters("two", "id"));
    root.write("two/mon_groups/id/tasks", "");
    CHECK(resctrl.add_process("two", "id", 4712));
    CHECK(root.read("two/mon_groups/id/tasks") == "4712");
    std::filesystem::remove(root.path() / "two/mon_groups/id/tasks");
    CHECK(resctrl.remove_counters("two", "id"));
    CHECK(resctrl.remove_counters("two", "id"));
    CHECK_FALSE(root.has("two/mon_groups/id"));
}

TEST_CASE("the kernel's own words stand in the error") {
    const warren::test::TempDir root;
    fill_root(root);
    const auto resctrl = opened(root);
    root.write("info/last_cmd_status", "Mask 5 has non-consecutive 1-bits\n");
    const auto failed = resctrl.write_schemata("absent", "L3:0=5");
    CHECK(words(failed).find("(\"Mask 5 has non-consecutive 1-bits\")") != std::string::npos);
    root.write("info/last_cmd_status", "ok\n");
    CHECK(words(resctrl.write_schemata("absent", "L3:0=5")).find('(') == std::string::npos);
}

TEST_CASE("a group that is there is compared by what its lines mean") {
    const warren::test::TempDir root;
    fill_root(root);
    const auto resctrl = opened(root);
    fill_group(root, "one", "    MB:0= 20;1=100\n    L3:0=000FF;1=f\n");
    for (const char* same : {"", "L3:0=ff", "L3:1=f;0=0ff", "MB:1=100;0=20\nL3:0=ff;1=f"}) {
        CAPTURE(same);
        CHECK(words(resctrl.compare_schemata("one", same)).empty());
    }
    const auto other = resctrl.compare_schemata("one", "L3:0=ff;1=1f");
    REQUIRE_FALSE(other);
    CHECK(other.error().kind() == base::ErrorKind::Usage);
    CHECK(other.error().what() == "the group one exists and has L3:1=f, not 1f");
    CHECK(words(resctrl.compare_schemata("one", "L3:2=f")).find("L3:2=nothing") !=
          std::string::npos);
    CHECK(words(resctrl.compare_schemata("one", "L2:0=f")).find("L2:0=nothing") !=
          std::string::npos);
    CHECK_FALSE(resctrl.compare_schemata("absent", "L3:0=f"));
}

TEST_CASE("names of groups are one step, and not the file system's own") {
    for (const char* name : {"a", "a b", "c1.2_x", "info2"}) {
        CHECK(cgroups::check_group_name(name));
    }
    for (const char* name : {"", ".", "..", "a/b", "/", "info", "mon_groups", "mon_data", "a\nb"}) {
        CAPTURE(name);
        CHECK_FALSE(cgroups::check_group_name(name));
    }
}
