// A connection to systemd over D-Bus (org.freedesktop.systemd1(5)), and what we ask of it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cgroups/dbus_connection.hpp"
#include "cgroups/unit_properties.hpp"

namespace warren::cgroups {

enum class SystemdManager : std::uint8_t {
    Host,  // PID 1: the system bus, or systemd's own socket
    User,  // the user's own: DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR/bus, or its own socket
};

class SystemdBus {
public:
    // Unsupported when nobody answers.
    [[nodiscard]] static base::Result<SystemdBus> connect(SystemdManager manager);

    SystemdBus(SystemdBus&&) = default;
    SystemdBus& operator=(SystemdBus&&) = delete;
    SystemdBus(const SystemdBus&) = delete;
    SystemdBus& operator=(const SystemdBus&) = delete;
    ~SystemdBus() = default;

    // StartTransientUnit, waited for. Exists when there is such a unit, be it on its way out.
    [[nodiscard]] base::Status start_transient(const std::string& unit,
                                               const std::vector<UnitProperty>& properties,
                                               const std::vector<std::uint32_t>& pids,
                                               std::chrono::milliseconds timeout);
    // SetUnitProperties, until the unit ends.
    [[nodiscard]] base::Status set_properties(const std::string& unit,
                                              const std::vector<UnitProperty>& properties);
    // SIGKILL to all of the unit, then StopUnit, waited for. A unit that is not there is success.
    [[nodiscard]] base::Status stop(const std::string& unit, std::chrono::milliseconds timeout);
    // ResetFailedUnit: a failed unit lets its name go. A unit that is not there is success.
    [[nodiscard]] base::Status reset_failed(const std::string& unit);

private:
    using Clock = DbusConnection::Clock;

    explicit SystemdBus(DbusConnection connection) : connection_(std::move(connection)) {}

    // The answer. Its error has the kind NotFound or Exists where systemd says so.
    [[nodiscard]] base::Result<DbusMessage> call(DbusMessage request, Clock::time_point deadline);
    // Sends what queues a job, and waits until systemd has done it.
    [[nodiscard]] base::Status run_job(DbusMessage request, Clock::time_point deadline);

    DbusConnection connection_;
};

}  // namespace warren::cgroups
