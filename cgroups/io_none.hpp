// `--io-max none`: every disk's limits taken off at once. In an update it is one IoMax that names no
// disk; which disks it means is known only where the limits from before are.
#pragma once

#include "cgroups/limits.hpp"

namespace warren::cgroups {

// All rates off, of device 0:0, which no disk has.
[[nodiscard]] IoMax all_io_max_none();

// Puts in the place of each such entry of `update.io_max` one "none" for every disk that `before`
// limits. The order counts: "none, then 10M for this disk" leaves that one limit.
void expand_io_max_none(Limits& update, const Limits& before);

}  // namespace warren::cgroups
