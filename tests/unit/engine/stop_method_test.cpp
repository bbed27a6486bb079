#include "runtime/engine/stop_method.hpp"

#include <csignal>

#include <doctest/doctest.h>

namespace warren::engine {

TEST_CASE("every init is asked in its own way") {
    spec::GuestConfig config;
    config.kind = isolation::GuestKind::Machine;
    const auto method = [&](const char* init) {
        config.init_system = init;
        return stop_method(config);
    };
    CHECK(method("systemd") == StopMethod{SIGRTMIN + 3, {}});
    CHECK(method("sysvinit").command == std::vector<std::string>{"/sbin/init", "0"});
    CHECK(method("runit").command == std::vector<std::string>{"/sbin/init", "0"});
    CHECK_FALSE(method("openrc").command.empty());
    CHECK(method("busybox") == StopMethod{SIGUSR2, {}});
    CHECK(method("unknown") == StopMethod{SIGPWR, {}});
}

TEST_CASE("a command gets SIGTERM, whatever init its image has") {
    spec::GuestConfig config;
    config.kind = isolation::GuestKind::Command;
    config.init_system = "systemd";
    CHECK(stop_method(config) == StopMethod{SIGTERM, {}});
}

}  // namespace warren::engine
