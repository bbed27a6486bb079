#include <unistd.h>

#include <doctest/doctest.h>

#include "cli/oci/ps_program.hpp"

namespace warren::cli::oci {

TEST_CASE("lines of ps by the column PID") {
    const std::string output =
        "UID          PID    PPID  C CMD\n"
        "root           1       0  0 init\n"
        "root          12       1  0 worker 1\n"
        "www            2      12  0 nginx: 12\n";
    CHECK(select_processes(output, {12}).value() ==
          "UID          PID    PPID  C CMD\nroot          12       1  0 worker 1\n");
    CHECK(select_processes(output, {}).value() == "UID          PID    PPID  C CMD\n");
    CHECK(select_processes("  PID\n    7\n   77", {7}).value() == "  PID\n    7\n");
    CHECK_FALSE(select_processes("USER CMD\nroot init\n", {1}).has_value());
    CHECK_FALSE(select_processes("", {1}).has_value());
}

TEST_CASE("the host's ps") {
    const auto output = run_ps({"-o", "pid", "-p", std::to_string(::getpid())});
    REQUIRE(output.has_value());
    const std::string own = select_processes(output.value(), {::getpid()}).value();
    CHECK(own.find(std::to_string(::getpid())) != std::string::npos);
    CHECK(select_processes(output.value(), {1}).value().find('\n') ==
          select_processes(output.value(), {1}).value().size() - 1);
    CHECK_FALSE(run_ps({"--no-such-option"}).has_value());
}

}  // namespace warren::cli::oci
