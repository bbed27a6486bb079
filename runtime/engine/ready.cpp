#include "runtime/engine/ready.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <poll.h>

#include "runtime/engine/question.hpp"
#include "runtime/engine/recover.hpp"

namespace warren::engine {

namespace {

// What to ask, and the answers that mean "up".
struct Probe {
    std::vector<std::string> command;
    std::vector<std::string> up;
};

Probe probe_for(const spec::GuestConfig& config) {
    if (config.kind == isolation::GuestKind::Command) {
        return {};
    }
    if (config.init_system == "systemd") {
        return {{"systemctl", "is-system-running"}, {"running", "degraded"}};
    }
    if (config.init_system == "sysvinit" || config.init_system == "openrc") {
        return {{"runlevel"}, {"N 2", "N 3", "N 4", "N 5"}};
    }
    if (config.init_system == "runit") {
        return {{"sh", "-c", "pidof runsvdir >/dev/null && echo up"}, {"up"}};
    }
    return {};
}

}  // namespace

base::Status await_ready(const Context& context,
                         const base::Name& name,
                         std::chrono::steady_clock::time_point deadline) {
    std::string last = "no answer";
    while (std::chrono::steady_clock::now() < deadline) {
        const auto situation = TRY(observe(context, name));
        if (!situation.run) {
            return base::fail(name.str() + " ended while it was starting");
        }
        const auto& config = situation.running_config();
        const auto probe = probe_for(config);
        if (probe.command.empty()) {
            return base::ok();
        }
        // An init that has just begun may have nothing to ask yet: that is no error but "not yet".
        if (const auto answer = ask(context, *situation.run, config, probe.command, deadline)) {
            last = answer.value().text;
            if (std::find(probe.up.begin(), probe.up.end(), last) != probe.up.end()) {
                return base::ok();
            }
        }
        (void)::poll(nullptr, 0, 100);
    }
    return base::fail(name.str() + " is not up in time (last answer: " + base::printable(last) +
                      ")");
}

}  // namespace warren::engine
