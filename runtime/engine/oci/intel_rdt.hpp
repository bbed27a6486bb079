// linux.intelRdt: the container's group of the resctrl file system, see cgroups/resctrl.hpp. By config-linux.md: closID
// names the group, else the container's id does. One that is there already is only checked, and stays when the container
// goes; one that we made goes with it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cgroups/resctrl.hpp"
#include "runtime/spec/oci/config.hpp"
#include "runtime/state/oci/record.hpp"

namespace warren::engine::oci {

struct RdtPlan {
    std::string group;
    bool named = false;  // by closID
    std::string
        schemata;  // lines; empty: the group has to be there, or is made with what the kernel gives it
    bool occupancy = false;
    bool bandwidth = false;
    bool operator==(const RdtPlan&) const = default;
};

// Pure.
[[nodiscard]] base::Result<RdtPlan> plan_intel_rdt(const spec::oci::IntelRdt& wish,
                                                   const std::string& id);

// Where resctrl is mounted on this host; Unsupported when it is not.
[[nodiscard]] base::Result<cgroups::Resctrl> open_resctrl();

// Before anything is made: that the kernel has what is asked for, and that a group that is there is as it should be.
// Places are JSON pointers.
[[nodiscard]] base::Status check_intel_rdt(const cgroups::Resctrl& resctrl,
                                           const spec::oci::IntelRdt& wish,
                                           const RdtPlan& plan);

// Makes or takes the group and puts the process into it. The record says so, and is saved, before.
[[nodiscard]] base::Status enter_intel_rdt(const cgroups::Resctrl& resctrl,
                                           const RdtPlan& plan,
                                           pid_t pid,
                                           state::oci::Record& record,
                                           const std::function<base::Status()>& save);

// A process of the running container, before it is cloned: its maker goes first.
[[nodiscard]] base::Status follow_intel_rdt(const state::oci::Record& record, pid_t maker);

// What the record says is ours. Nothing where resctrl is not mounted any more.
[[nodiscard]] base::Status leave_intel_rdt(const state::oci::Record& record);
[[nodiscard]] base::Status leave_intel_rdt(const cgroups::Resctrl& resctrl,
                                           const state::oci::Record& record);

}  // namespace warren::engine::oci
