// What systemd is told of a container's scope (systemd.resource-control(5), org.freedesktop.systemd1(5)). Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "cgroups/resources.hpp"

namespace warren::cgroups {

using Bytes = std::vector<std::uint8_t>;

struct UnitProperty {
    std::string name;
    // As D-Bus has them: b, i, u, x, t, d, s, as, ay.
    std::variant<bool,
                 std::int32_t,
                 std::uint32_t,
                 std::int64_t,
                 std::uint64_t,
                 double,
                 std::string,
                 std::vector<std::string>,
                 Bytes>
        value;
    bool operator==(const UnitProperty&) const = default;
};

// Those of the knobs that systemd knows, by its own names: MemoryMax, MemoryHigh, MemoryLow, MemoryMin, MemorySwapMax,
// TasksMax, CPUWeight, CPUQuotaPerSecUSec and CPUQuotaPeriodUSec, AllowedCPUs, AllowedMemoryNodes, IOWeight. The others
// are files that systemd leaves alone. Of two for one property the later counts. A text that systemd could not
// have (of unified) is a file's alone too: the kernel judges it.
[[nodiscard]] std::vector<UnitProperty> to_unit_properties(const std::vector<Knob>& knobs);

// The value of an annotation "org.systemd.property.NAME" in GVariant's text form: true, 5, 1.5, uint64 5, 'text', ["a",
// 'b'], @as []. A name that ends in "Sec" is the setting's in seconds: its property ends in "USec" and has
// microseconds. Usage, with the place `pointer`.
[[nodiscard]] base::Result<UnitProperty> parse_unit_property(const std::string& name,
                                                             std::string_view value,
                                                             const std::string& pointer);

}  // namespace warren::cgroups
