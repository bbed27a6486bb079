#include "runtime/engine/stop_method.hpp"

#include <csignal>

namespace warren::engine {

StopMethod stop_method(const spec::GuestConfig& config) {
    if (config.kind == isolation::GuestKind::Command) {
        return {SIGTERM, {}};
    }
    // systemd(1): SIGRTMIN+3 halts. The C library keeps the first real-time signals for itself, so the number
    // is counted from SIGRTMIN at run time.
    if (config.init_system == "systemd") {
        return {SIGRTMIN + 3, {}};
    }
    // init(8) of sysvinit, and Debian's runit and openrc, which keep its command: runlevel 0.
    if (config.init_system == "sysvinit" || config.init_system == "runit") {
        return {SIGPWR, {"/sbin/init", "0"}};
    }
    if (config.init_system == "openrc") {
        return {SIGPWR, {"/sbin/openrc-shutdown", "--poweroff", "now"}};
    }
    // busybox init(8): SIGUSR2 powers off.
    if (config.init_system == "busybox") {
        return {SIGUSR2, {}};
    }
    return {SIGPWR, {}};
}

}  // namespace warren::engine
