// What `exec` takes from the container's config, by way of the record that `create` made of it.
#pragma once

#include <cstdint>
#include <optional>

#include "isolation/seccomp.hpp"
#include "runtime/engine/oci/container.hpp"
#include "runtime/spec/oci/config.hpp"
#include "runtime/state/oci/exec_record.hpp"

namespace warren::engine::oci {

struct ExecConfig {
    spec::oci::Process process;       // the container's own, or all defaults
    bool shuts_out_host_root = true;  // by a user namespace of its own
    bool mount_namespace = true;
    std::optional<std::uint32_t> personality;
    isolation::SeccompProgram filter;
    std::optional<spec::oci::Seccomp> agent;  // gets the filter's listener
};

// nullopt where `exec` has to read the config itself: an agent for seccomp is named there.
[[nodiscard]] std::optional<state::oci::ExecRecord> exec_record_of(
    const spec::oci::Config& config, const isolation::SeccompProgram& filter);

// `with_process`: the request does not bring a whole one. A container without the record, of an older warren-oci or
// restored, has a config.
[[nodiscard]] base::Result<ExecConfig> load_exec_config(const Context& context,
                                                        const Container& container,
                                                        bool with_process);

}  // namespace warren::engine::oci
