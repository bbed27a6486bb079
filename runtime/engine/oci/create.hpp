// The transaction that makes a container:
//
//   directory, locked > record(creating, with the cgroup) > config copied > cgroup, limits, devices > start socket >
//   clone > cgroup adopted, id maps, limits > record(with the process) > hooks > mounts > release .. created >
//   terminal and pidfd handed over > pid file > record(ready)
//
// Anything that fails undoes the rest, in reverse, from the record; a killed owner is undone by whoever meets it.
#pragma once

#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "isolation/container_launcher.hpp"
#include "runtime/engine/oci/container.hpp"
#include "runtime/engine/oci/start.hpp"

namespace warren::engine::oci {

// What is to be made, read and judged; nothing is made yet.
struct Bundle {
    std::string path;  // absolute
    std::string text;  // config.json
    spec::oci::Config config;
};

// Whether the container has a new user namespace into which the host's root is not mapped. Of one that is joined nothing
// is known.
[[nodiscard]] bool shuts_out_host_root(const spec::oci::Config& config);
// Where it is not, the container's root may be the host's: our own program must be out of its reach (see
// isolation/sealed_program.hpp). May start this program over; call it before anything is made.
[[nodiscard]] base::Status seal_unless(const Settings& settings, bool host_root_shut_out);

[[nodiscard]] base::Result<Bundle> read_bundle(const std::string& path);
// The same, sealed where a container of this bundle needs it.
[[nodiscard]] base::Result<Bundle> read_bundle_sealed(const Settings& settings,
                                                      const std::string& path);

struct CreatedContainer {
    Container container;  // locked; a child of ours
    StartPlan start;
    base::Fd terminal_master;  // with a terminal that was not handed over
};

// `keeps_terminal`: the caller relays; otherwise a terminal needs a console socket.
[[nodiscard]] base::Result<CreatedContainer> create_container(const Context& context,
                                                              const CreateRequest& request,
                                                              Bundle bundle,
                                                              bool keeps_terminal,
                                                              isolation::StdioFds stdio,
                                                              isolation::WindowSize window);

}  // namespace warren::engine::oci
