// From created to running.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "isolation/container_launcher.hpp"
#include "runtime/engine/oci/container.hpp"
#include "runtime/engine/oci/notify.hpp"

namespace warren::engine::oci {

// What a start wants to know of the config.
struct StartPlan {
    std::optional<std::string> program;         // absent: no process
    std::optional<spec::oci::Seccomp> seccomp;  // when its listener is to be handed on
    std::vector<spec::oci::Hook> poststart;
};

[[nodiscard]] StartPlan plan_start(const spec::oci::Config& config);

// From the record where that says enough, else from the container's config.json.
[[nodiscard]] base::Result<StartPlan> load_start_plan(const Container& container);

// `container` is locked. Runs poststart. An error of the program itself has the place isolation::kExecPlace and holds
// the words by which engines tell 126 from 127. Whoever waits for the container to be ready does so without the lock.
[[nodiscard]] base::Result<NotifyProxy> start_container(const Context& context,
                                                        const Container& container,
                                                        const StartPlan& plan);

// A container without a process, started: it ends. The specification calls that an error; its test suite and what
// engines build on it expect the container to be stopped.
[[nodiscard]] base::Status start_nothing(const Context& context, const Container& container);

// Lets the lock go, then waits for the container to be ready, where anybody asked.
[[nodiscard]] base::Status finish_start(Container container, NotifyProxy notify);

// Gives a seccomp agent the listener, with the state it needs (config-linux.md, "listenerPath").
[[nodiscard]] base::Status hand_listener(const spec::oci::Seccomp& seccomp,
                                         const state::oci::Record& record,
                                         Status status,
                                         pid_t init,
                                         pid_t process,
                                         base::Fd listener);

// The words of runc for a program that cannot be run; other errors as they are.
[[nodiscard]] base::Error exec_words(base::Error error, const std::string& program);

}  // namespace warren::engine::oci
