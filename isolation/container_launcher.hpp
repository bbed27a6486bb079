// Clones a container's first process, lets it build, and later start; and processes that join. See container.hpp for
// the ladder. Like launcher.hpp, only for a process with one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/pidref.hpp"
#include "base/result.hpp"
#include "isolation/container.hpp"
#include "isolation/launcher.hpp"

namespace warren::isolation {

// A container's first process that stands behind its walls and waits at its start socket.
struct Created {
    base::PidRef process;
    base::Fd terminal_master;        // valid with Stdio::Terminal
    std::vector<std::string> notes;  // optional steps that failed, in words
};

// Takes a seccomp notification descriptor while the filtered process goes on: it may block in its very next call until
// somebody answers there. An error ends the wait; the process is left as it is.
using ListenerHandler = std::function<base::Status(base::Fd)>;

// A cloned child that waits for its release. Destroying it unreleased kills and reaps it: nothing is left.
class PendingContainer {
public:
    // Goes through a helper process when spec.namespaces.need_joiner(). `cgroup_fd`: a cgroup v2 directory,
    // clone3(CLONE_INTO_CGROUP); -1: stay where the parent is. `stdio`: -1 becomes /dev/null. The recipe is
    // plan_container()'s and must outlive the object.
    [[nodiscard]] static base::Result<PendingContainer> clone(const ContainerSpec& spec,
                                                              const Recipe& recipe,
                                                              int cgroup_fd,
                                                              StdioFds stdio);
    PendingContainer(PendingContainer&&) noexcept;
    PendingContainer& operator=(PendingContainer&&) noexcept;
    PendingContainer(const PendingContainer&) = delete;
    PendingContainer& operator=(const PendingContainer&) = delete;
    ~PendingContainer();

    // A child of the caller; its pid is valid for newuidmap(1) and hooks.
    [[nodiscard]] const base::PidRef& process() const;
    // With a fresh user namespace: its maps, once, before release(). An ordinary user may map one id of each and has to
    // deny setgroups(2).
    [[nodiscard]] base::Status write_id_maps(const IdMap& map, bool deny_setgroups);
    // The child's user namespace, for idmapped mounts.
    [[nodiscard]] base::Result<base::Fd> user_namespace() const;
    // From outside, where the child may not: rlimits, oom_score_adj, scheduler, I/O priority, final CPUs. A refused
    // oom_score_adj is a note, anything else an error. Before release().
    [[nodiscard]] base::Result<std::vector<std::string>> apply_process(
        const ContainerProcess& process);
    // What failed once the child had ended failed for that: then how it ended, otherwise the failure itself.
    [[nodiscard]] base::Error explain(base::Error failure) const;
    // Sends the go with the descriptors of slots 0.., does what there is to do `meanwhile`, and waits until the container is
    // created. On failure, of that too, the child has been reaped; the error says which part of the configuration failed.
    [[nodiscard]] base::Result<Created> release(
        const std::vector<int>& slots,
        const std::function<base::Status()>& meanwhile = base::ok) &&;

private:
    struct Impl;
    explicit PendingContainer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// What `start` gets.
struct Started {
    std::vector<std::string> notes;
};

// For the process that runs `start`, on its connection to the start socket: sends the go, and waits until exec happened
// or failed. `program`: argv[0], for words. Errors as release() of a guest: kExecPlace, kind NotFound. A process that ends
// before its program ran is an error as well; it is not reaped (it need not be a child of the caller).
[[nodiscard]] base::Result<Started> await_started(int connection,
                                                  const std::string& program,
                                                  const base::PidRef& process,
                                                  const ListenerHandler& on_listener);

// Runs a process inside a running container: `target` is its init. The process is a child of the caller. `slots` as in
// release(): only spec.root_slot, if at all.
[[nodiscard]] base::Result<Launched> join_container(const ContainerJoin& spec,
                                                    const Recipe& recipe,
                                                    const base::PidRef& target,
                                                    int cgroup_fd,
                                                    StdioFds stdio,
                                                    const std::vector<int>& slots,
                                                    const ListenerHandler& on_listener);

// The state, JSON, as a sealed memfd(2) for hooks.
[[nodiscard]] base::Result<base::Fd> state_file(std::string_view json);

}  // namespace warren::isolation
