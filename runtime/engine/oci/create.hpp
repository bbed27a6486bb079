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
#include "runtime/engine/oci/bundle.hpp"
#include "runtime/engine/oci/container.hpp"
#include "runtime/engine/oci/start.hpp"

namespace warren::engine::oci {

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
