// The transaction that makes a guest run:
//
//   record(starting, with the cgroup's path) > cgroup, limits, devices > clone > id maps > root, /dev, binds
//   > record(with the process) > release > record(running)
//
// Anything that fails undoes the rest, in reverse, from the record; a killed owner is undone by recover().
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cgroups/device_programs.hpp"
#include "images/image.hpp"
#include "isolation/launcher.hpp"
#include "runtime/engine/context.hpp"
#include "runtime/engine/launch_plan.hpp"
#include "runtime/spec/validate.hpp"
#include "runtime/state/records.hpp"

namespace warren::engine {

// What the launches of one process share, made on first use: the cgroup parent, compiled filters,
// loaded device programs, opened images.
class LaunchSession {
public:
    explicit LaunchSession(const Context& context) : context_(context) {}

    [[nodiscard]] const Context& context() const { return context_; }

    [[nodiscard]] base::Result<int> cgroup_parent_dir();
    [[nodiscard]] base::Result<const isolation::SeccompProgram*> filter(
        const isolation::SeccompConfig& config);

    [[nodiscard]] cgroups::DevicePrograms& device_programs() { return device_programs_; }

    [[nodiscard]] base::Result<int> image_root(const std::string& image);

private:
    const Context& context_;
    std::optional<cgroups::Parent> parent_;
    cgroups::DevicePrograms device_programs_;
    base::Fd cache_;
    // A batch has few of them. Pointers to the programs stay good.
    std::deque<std::pair<isolation::SeccompConfig, isolation::SeccompProgram>> filters_;
    std::optional<images::ImageStore> images_;
    std::map<std::string, base::Fd> image_roots_;
};

struct LaunchedGuest {
    isolation::Launched launched;
    state::RunRecord run;
};

// The caller holds the guest's exclusive lock and has recovered it. `config` is the record's. `terminal` overrides
// where the first process gets a pty; `stdio` is used when it does not.
[[nodiscard]] base::Result<LaunchedGuest> launch_guest(LaunchSession& session,
                                                       const state::GuestRecord& record,
                                                       const spec::ValidatedConfig& config,
                                                       bool terminal,
                                                       isolation::StdioFds stdio);

}  // namespace warren::engine
