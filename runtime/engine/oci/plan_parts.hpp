// The planner's parts; internal to plan*.cpp. Each adds what it plans to `plan`.
#pragma once

#include "runtime/engine/oci/plan.hpp"

namespace warren::engine::oci {

// What all parts of one planning look at.
struct Planning {
    const spec::oci::Config& config;
    const Lookups& lookups;
    const Site& site;
};

// The slot's number.
[[nodiscard]] std::uint32_t add_slot(ContainerPlan& plan, SlotSource source);

// plan_mounts.cpp: the root, the mounts.
[[nodiscard]] base::Status plan_root(const Planning& planning, ContainerPlan& plan);
[[nodiscard]] base::Status plan_mounts(const Planning& planning, ContainerPlan& plan);
// The directory with the socket by which the container says that it is ready.
void plan_notify(const Planning& planning, ContainerPlan& plan);
// plan_devices.cpp: nodes and links in /dev.
[[nodiscard]] base::Status plan_devices(const Planning& planning, ContainerPlan& plan);

[[nodiscard]] base::Error unsupported(std::string what, std::string place);

}  // namespace warren::engine::oci
