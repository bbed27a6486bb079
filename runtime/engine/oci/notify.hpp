// sd_notify(3) across a container's wall. A service manager gives us NOTIFY_SOCKET; the container gets a directory of
// its own at /run/notify with a socket in it, and `start` passes READY=1 on, with the first process as MAINPID.
#pragma once

#include <string>

#include "base/fd.hpp"
#include "base/pidref.hpp"
#include "base/result.hpp"
#include "runtime/engine/oci/container.hpp"

namespace warren::engine::oci {

inline constexpr const char* kNotifyDirectory = "notify";  // in the container's directory
inline constexpr const char* kNotifyTarget = "/run/notify";
inline constexpr const char* kNotifyVariable = "NOTIFY_SOCKET=/run/notify/notify.sock";

// Our own NOTIFY_SOCKET; empty: nobody waits.
[[nodiscard]] std::string notify_socket();

class NotifyProxy {
public:
    // Before the container runs. Does nothing where nobody waits, or the container was created without it.
    [[nodiscard]] static base::Result<NotifyProxy> open(const Container& container);
    // Waits until the container is ready or has ended, and tells the service manager.
    [[nodiscard]] base::Status forward(const base::PidRef& init);

private:
    base::Fd socket_;  // invalid: nothing to do
    std::string manager_;
};

}  // namespace warren::engine::oci
