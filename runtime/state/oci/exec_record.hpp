// What `exec` has to know of config.json, made ready by `create`: the config is long to parse, and its filter long to
// compile. A value; the schema is versioned.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/json.hpp"
#include "base/result.hpp"
#include "isolation/seccomp.hpp"

namespace warren::state::oci {

struct ExecRecord {
    std::string process;          // /process of the config, as JSON; empty: it has none
    bool mount_namespace = true;  // one of its own, made by `create`
    std::optional<std::uint32_t> personality;  // /linux/personality, its domain
    // What the container's own process was given. Never one with a listener, whose agent only the config names.
    isolation::SeccompProgram filter;
};

[[nodiscard]] base::Json to_json(const ExecRecord& record);
// nullopt: of a newer warren-oci. Refuses what no writer of ours could have meant, with the JSON pointer.
[[nodiscard]] base::Result<std::optional<ExecRecord>> exec_record_from_json(const base::Json& json);

}  // namespace warren::state::oci
