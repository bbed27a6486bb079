#include "runtime/engine/oci/exec_config.hpp"

#include <doctest/doctest.h>

#include "runtime/spec/oci/parse.hpp"

namespace warren::engine::oci {

TEST_CASE("what exec needs of a config is kept for it") {
    isolation::SeccompProgram filter;
    filter.instructions = {{6, 0, 0, 0}};
    auto config = spec::oci::parse_config(R"({"ociVersion": "1.0.2",
        "process": {"cwd": "/work", "args": ["a"], "user": {"uid": 3}},
        "linux": {"namespaces": [{"type": "mount"}], "personality": {"domain": "LINUX32"},
                  "seccomp": {"defaultAction": "SCMP_ACT_ALLOW"}}})")
                      .value();
    const auto record = exec_record_of(config, filter);
    REQUIRE(record);
    CHECK(spec::oci::parse_process(record->process).value() == *config.process);
    CHECK(record->mount_namespace);
    CHECK(record->personality == config.linux.personality->domain);
    CHECK(record->filter.instructions.size() == 1);

    config.linux.namespaces.front().path = "/proc/1/ns/mnt";
    config.linux.personality.reset();
    config.process.reset();
    config.process_text.clear();
    const auto other = exec_record_of(config, {});
    REQUIRE(other);
    CHECK(other->process.empty());
    CHECK_FALSE(other->mount_namespace);
    CHECK_FALSE(other->personality);
    CHECK(other->filter.instructions.empty());

    config.linux.seccomp->listener_path = "/run/agent";
    CHECK_FALSE(exec_record_of(config, filter));
}

}  // namespace warren::engine::oci
