// Asks systemd for a transient scope with delegation (systemd.scope(5), org.freedesktop.systemd1(5)).
#pragma once

#include <chrono>
#include <string>

#include <sys/types.h>

#include "base/result.hpp"

namespace warren::cgroups {

inline constexpr const char* kSlice = "warren.slice";

// Starts the scope `unit` ("warren.scope") in warren.slice with one process in it and waits until systemd has done
// so. Exists when there is such a unit, be it on its way out.
[[nodiscard]] base::Status start_scope(const std::string& unit,
                                       pid_t process,
                                       std::chrono::milliseconds timeout);

}  // namespace warren::cgroups
