#include "runtime/state/oci/state.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace warren::state::oci;

TEST_CASE("the state of the specification") {
    const State state{"1.2.0", "c1", "running", 4422, "/bundle", {{"k", "v"}}};
    CHECK(to_json(state).dump() ==
          R"({"ociVersion":"1.2.0","id":"c1","status":"running","pid":4422,)"
          R"("bundle":"/bundle","annotations":{"k":"v"}})");
    const State stopped{"1.2.0", "c1", "stopped", 0, "/bundle", {}};
    CHECK(to_json(stopped).dump() ==
          R"({"ociVersion":"1.2.0","id":"c1","status":"stopped","bundle":"/bundle"})");
}

TEST_CASE("the state that goes to a seccomp agent") {
    const State state{"1.2.0", "c1", "creating", 7, "/b", {}};
    CHECK(to_json(ContainerProcessState{"1.2.0", {"seccompFd"}, 7, "m", state}).dump() ==
          R"({"ociVersion":"1.2.0","fds":["seccompFd"],"pid":7,"metadata":"m",)"
          R"("state":{"ociVersion":"1.2.0","id":"c1","status":"creating","pid":7,"bundle":"/b"}})");
    CHECK(to_json(ContainerProcessState{"1.2.0", {}, 7, "", state}).dump() ==
          R"({"ociVersion":"1.2.0","pid":7,)"
          R"("state":{"ociVersion":"1.2.0","id":"c1","status":"creating","pid":7,"bundle":"/b"}})");
}
