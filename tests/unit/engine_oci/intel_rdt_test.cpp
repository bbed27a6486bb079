// linux.intelRdt over files in place of the resctrl file system.
#include "runtime/engine/oci/intel_rdt.hpp"

#include <doctest/doctest.h>

#include "tests/unit/support/temp_dir.hpp"

using namespace warren;
using namespace warren::engine::oci;
using spec::oci::IntelRdt;
using state::oci::Record;

namespace {

struct Host {
    Host() {
        root.write("info/L3/cbm_mask", "fffff\n");
        root.write("info/last_cmd_status", "ok\n");
        auto opened = cgroups::Resctrl::open(root.path().string());
        REQUIRE(opened);
        resctrl.emplace(std::move(opened).value());
    }

    void add_group(const std::string& name, const std::string& schemata) const {
        root.write(name + "/schemata", schemata);
        root.write(name + "/tasks", "");
        root.make_dir(name + "/mon_groups");
    }

    test::TempDir root;
    std::optional<cgroups::Resctrl> resctrl;
};

IntelRdt wish(const std::string& group, const std::string& cache, const std::string& memory = "") {
    IntelRdt out;
    out.clos_id = group;
    out.l3_cache_schema = cache;
    out.mem_bw_schema = memory;
    return out;
}

RdtPlan planned(const IntelRdt& wish) {
    auto plan = plan_intel_rdt(wish, "c1");
    REQUIRE(plan);
    return std::move(plan).value();
}

// The place of the refusal.
std::string refused(const Host& host, const IntelRdt& wish) {
    const auto status = check_intel_rdt(*host.resctrl, wish, planned(wish));
    return status ? "" : status.error().place();
}

Record record() {
    Record out;
    out.id = "c1";
    return out;
}

}  // namespace

TEST_CASE("the schemas become lines, the container's id or closID the group") {
    CHECK(planned(wish("", "")) == RdtPlan{"c1", false, "", false, false});
    CHECK(planned(wish("g", "L3:0=f")) == RdtPlan{"g", true, "L3:0=f\n", false, false});
    CHECK(planned(wish("g", "L3:0=f\nMB:0=10\n")).schemata == "L3:0=f\nMB:0=10\n");
    CHECK(planned(wish("g", "L3:0=f\nMB:0=10\nL2:0=1", "MB:0=20")).schemata ==
          "L3:0=f\nL2:0=1\nMB:0=20\n");
    auto more = wish("g", "L3:0=f", "MB:0=20");
    more.schemata = {"L3:0=ff"};
    more.enable_cmt = true;
    CHECK(planned(more) == RdtPlan{"g", true, "L3:0=f\nMB:0=20\nL3:0=ff\n", true, false});
    more.enable_monitoring = true;
    CHECK(plan_intel_rdt(more, "c1").error().place() == "/linux/intelRdt/enableMonitoring");
    CHECK(plan_intel_rdt(wish("info", ""), "c1").error().place() == "/linux/intelRdt/closID");
    CHECK(plan_intel_rdt(wish("", ""), "info").error().place() == "/linux/intelRdt");
}

TEST_CASE("what cannot be is refused before anything is made") {
    const Host host;
    host.add_group("there", "    L3:0=0000f\n");
    CHECK(refused(host, wish("", "")).empty());
    CHECK(refused(host, wish("new", "L3:0=f")).empty());
    CHECK(refused(host, wish("there", "")).empty());
    CHECK(refused(host, wish("there", "L3:0=f")).empty());
    CHECK(refused(host, wish("there", "L3:0=ff")) == "/linux/intelRdt/closID");
    CHECK(refused(host, wish("new", "")) == "/linux/intelRdt/closID");
    CHECK(refused(host, wish("new", "L2:0=f")) == "/linux/intelRdt/l3CacheSchema");
    CHECK(refused(host, wish("new", "L3:0=f", "MB:0=10")) == "/linux/intelRdt/memBwSchema");
    auto counted = wish("new", "L3:0=f");
    counted.enable_cmt = true;
    CHECK(refused(host, counted) == "/linux/intelRdt/enableCMT");
    host.add_group("c1", "");
    CHECK(refused(host, wish("", "L3:0=f")) == "/linux/intelRdt");
}

TEST_CASE("a group that was there gets the process and stays") {
    const Host host;
    host.add_group("there", "    L3:0=f\n");
    auto plan = planned(wish("there", "L3:0=f"));
    plan.occupancy = true;
    // The kernel fills a new group of counters by itself.
    host.root.write("there/mon_groups/c1/tasks", "");
    auto saved = record();
    int saves = 0;
    const auto save = [&]() -> base::Status {
        ++saves;
        CHECK(host.root.read("there/tasks").empty());
        return base::ok();
    };
    REQUIRE(enter_intel_rdt(*host.resctrl, plan, 4711, saved, save));
    CHECK(saves == 1);
    CHECK(saved.intel_rdt == "there");
    CHECK_FALSE(saved.intel_rdt_made);
    CHECK(host.root.read("there/tasks") == "4711");
    CHECK(host.root.read("there/mon_groups/c1/tasks") == "4711");
    CHECK(host.root.read("there/schemata") == "    L3:0=f\n");
    std::filesystem::remove(host.root.path() / "there/mon_groups/c1/tasks");
    REQUIRE(leave_intel_rdt(*host.resctrl, saved));
    CHECK_FALSE(host.root.has("there/mon_groups/c1"));
    CHECK(host.root.has("there/tasks"));
}

TEST_CASE("a group of our own is recorded before it is made, and removed from the record") {
    const Host host;
    auto saved = record();
    bool made_before = true;
    const auto save = [&]() -> base::Status {
        made_before = host.root.has("c1");
        return base::ok();
    };
    // No kernel fills the new directory: the write to its schemata fails, as one that the kernel refuses does.
    const auto entered =
        enter_intel_rdt(*host.resctrl, planned(wish("", "L3:0=f")), 4711, saved, save);
    REQUIRE_FALSE(entered);
    CHECK(entered.error().place() == "/linux/intelRdt");
    CHECK_FALSE(made_before);
    CHECK(saved.intel_rdt == "c1");
    CHECK(saved.intel_rdt_made);
    CHECK(host.root.has("c1"));
    REQUIRE(leave_intel_rdt(*host.resctrl, saved));
    CHECK_FALSE(host.root.has("c1"));
    CHECK(leave_intel_rdt(*host.resctrl, saved));
}

TEST_CASE("without a group there is nothing to leave or to follow") {
    CHECK(leave_intel_rdt(record()));
    CHECK(follow_intel_rdt(record(), 1));
}
