// What the tests of state/oci share: a store in a temporary directory, and records.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "runtime/state/oci/store.hpp"
#include "tests/unit/support/temp_dir.hpp"

namespace warren::state::oci::test {

using warren::test::TempDir;

inline constexpr std::chrono::milliseconds kNoWait{0};

inline ContainerId id(const std::string& text) {
    return ContainerId::parse(text).value();
}

inline Record record(const std::string& name) {
    Record out;
    out.id = name;
    out.phase = Phase::Ready;
    out.oci_version = "1.2.0";
    out.bundle = "/bundles/" + name;
    out.rootfs = "/bundles/" + name + "/rootfs";
    out.created = "2026-01-02T03:04:05.000006Z";
    out.owner = 1000;
    out.annotations = {{"a", "b"}, {"c/d", "e\n"}};
    out.boot_id = "00000000-0000-0000-0000-000000000001";
    out.init = base::PidIdentity{4711, 123456};
    out.cgroup = "machine/" + name;
    out.scope = SystemdScope{"libpod-" + name + ".scope", true};
    out.cgroup_is_ours = true;
    out.intel_rdt = "group";
    out.intel_rdt_made = true;
    out.config = ConfigSummary{"sleep", false, true, false};
    out.notes = {"no keyring"};
    return out;
}

}  // namespace warren::state::oci::test
