// Documents as the engines write them.
#include "cgroups/resources.hpp"
#include "tests/unit/spec_oci/support.hpp"

using namespace warren::spec::oci;
using namespace warren::spec::oci::test;

TEST_CASE("what engines write is read, and there is nothing to complain about") {
    for (const char* name : {"podman.json", "docker.json", "containerd.json", "full.json"}) {
        CAPTURE(name);
        const auto config = parse_config(document(name));
        REQUIRE_MESSAGE(config, config.error().describe());
        const auto problems = check_config(config.value());
        CHECK_MESSAGE(problems.empty(), to_status(problems).error().describe());
    }
}

TEST_CASE("docker's empty block I/O and unlimited pids make no knob that limits") {
    const auto config = parse_config(document("docker.json")).value();
    const auto knobs = warren::cgroups::to_knobs(*config.linux.resources);
    REQUIRE_MESSAGE(knobs, knobs.error().describe());
    for (const auto& knob : knobs.value()) {
        CHECK(knob.controller != "io");
        CHECK((knob.file != "pids.max" || knob.value == "max"));
    }
}

TEST_CASE("crun's idmap in podman's words") {
    const auto config = parse_config(document("podman.json")).value();
    const auto& options = config.mounts.back().options;
    CHECK(options.uids ==
          std::vector<MountIdRange>{{{0, 100000, 1000}, false}, {{1000, 0, 1}, false}});
    CHECK(options.gids == std::vector<MountIdRange>{{{0, 0, 1000}, true}});
}

TEST_CASE("a process for exec needs no user") {
    const auto process = parse_process(document("process-exec.json"));
    REQUIRE(process);
    CHECK(process.value().exec_cpu_affinity == ExecCpuAffinity{{0}, {}});
    CHECK(check_process(process.value()).empty());
}

TEST_CASE("an update names what it changes") {
    const auto resources = parse_resources(document("resources-update.json")).value();
    CHECK(resources.memory.limit == 536870912);
    CHECK(resources.cpu.quota == -1);
    CHECK(resources.pids_limit == 100);
    CHECK_FALSE(resources.memory.swap);
}
