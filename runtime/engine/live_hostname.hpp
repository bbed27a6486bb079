// The host name of a guest that runs, changed from outside.
#pragma once

#include <string>

#include "base/pidref.hpp"
#include "base/result.hpp"

namespace warren::engine {

// sethostname(2) in the UTS namespace of this process, by a short-lived child that enters it by the
// pidfd (setns(2), Linux 5.8). What stands in the guest's /etc/hostname is the guest's own business.
[[nodiscard]] base::Status set_live_hostname(const base::PidRef& process,
                                             const std::string& hostname);

}  // namespace warren::engine
