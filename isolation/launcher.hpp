// Clones a guest's first process, and processes that join a running guest.
//
//  guest's first process               parent
//  ---------------------               ------
//  (born by clone3: user and pid       journals that it will clone; clones
//   namespace, in its cgroup, pidfd
//   given; mostly in our memory)
//  (walks its recipe up to wait-ids:
//   the other namespaces)
//                    <-- IDS           write_id_maps(): uid_map, gid_map, the go
//  (as the guest's root: opens its     mounts the root with user_namespace(), saves the record with the pid
//   file systems, up to wait-release)
//                    <-- RELEASE+fds   release(): one message; the descriptors fill the recipe's slots
//  (walks the rest of its recipe)
//  MASTER+fd         -->               only with Stdio::Terminal: the pty's master
//  NOTE{step,errno}  -->               an optional step failed; kept for the log
//  ERROR{step,errno} -->               a step failed; the child has gone
//  EOF               -->               exec happened (the socket is close-on-exec)
//
//  A parent that dies before RELEASE ends the socket: the child sees EOF and exits. The parent watches socket and
//  pidfd together, so a child killed by a signal (OOM, seccomp) is named as that.
//
//  joined process                      parent
//                                      sets the guest's PID namespace for its children, clones (plain), sets its own again
//  setns(pidfd, flags)
//  (walks its recipe up to wait-release)
//                    <-- RELEASE       at once
//  MASTER / NOTE / ERROR / EOF -->     as above
//
//  A guest without a user namespace of its own could trace a process that has not entered all yet, and a caller that is
//  no privileged user of its own user namespace may set no PID namespace. Then there is a joiner between:
//
//  joiner                 joined process                parent
//  (clone3, plain)
//  setns(pidfd, flags)
//  clone3(CLONE_PARENT) ->(born in the guest, child
//  PID{pid}          ------of the parent)------------>  opens its pidfd; reaps the joiner
//  exit                   (walks its recipe)
//                         MASTER / NOTE / ERROR / EOF -> as above
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/fd.hpp"
#include "base/pidref.hpp"
#include "base/result.hpp"
#include "isolation/plan.hpp"
#include "isolation/recipe.hpp"

namespace warren::isolation {

// Standard input, output and error for Stdio::Given; the launcher only borrows them.
struct StdioFds {
    int in = -1;
    int out = -1;
    int err = -1;
};

// What a completed launch hands over.
struct Launched {
    base::PidRef process;
    base::Fd terminal_master;        // valid with Stdio::Terminal
    std::vector<std::string> notes;  // optional steps that failed, in words
};

// How a launch failed inside the child. Carried by the Error: kind NotFound when the program does not exist (exit 127),
// Unsupported is never used here; errno EACCES, ENOEXEC and the like on step Exec mean "cannot be invoked" (exit 126).
inline constexpr const char* kExecPlace = "exec";  // Error::place() of a failed exec step

// A cloned child that waits. Destroying it unreleased kills and reaps it: nothing is left.
class PendingGuest {
public:
    // `cgroup_fd`: a cgroup v2 directory, clone3(CLONE_INTO_CGROUP), Linux 5.7; -1: stay where the parent is.
    // The recipe must outlive the object. Must be called from a process with one thread.
    [[nodiscard]] static base::Result<PendingGuest> clone(const GuestSpec& spec,
                                                          const Recipe& recipe,
                                                          int cgroup_fd,
                                                          StdioFds stdio);
    PendingGuest(PendingGuest&&) noexcept;
    PendingGuest& operator=(PendingGuest&&) noexcept;
    PendingGuest(const PendingGuest&) = delete;
    PendingGuest& operator=(const PendingGuest&) = delete;
    ~PendingGuest();

    [[nodiscard]] const base::PidRef& process() const;
    // With a private user namespace: its maps, once, before release(). A privileged parent may map any range.
    [[nodiscard]] base::Status write_id_maps(const IdMap& map);
    // The child's user namespace, for idmapped mounts.
    [[nodiscard]] base::Result<base::Fd> user_namespace() const;
    // prlimit(2) and oom_score_adj from outside, where the child could not raise them itself. A refused
    // raise comes back as a note.
    [[nodiscard]] base::Result<std::vector<std::string>> apply_process_limits(
        const ProcessSpec& process);
    // Sends the go with the descriptors of slots 0.., closes what is `spent` while the child works, and waits until
    // exec happened or failed. On failure the child has been reaped.
    [[nodiscard]] base::Result<Launched> release(const std::vector<int>& slots,
                                                 std::vector<base::Fd> spent = {}) &&;

private:
    struct Impl;
    explicit PendingGuest(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// Runs a process inside a running guest: `target` is the guest's init; `cgroup_fd` as above. The process is a
// child of the caller. `oom_score_adj` and raised limits as in apply_process_limits().
[[nodiscard]] base::Result<Launched> join_guest(const JoinSpec& spec,
                                                const Recipe& recipe,
                                                const base::PidRef& target,
                                                int cgroup_fd,
                                                StdioFds stdio);

}  // namespace warren::isolation
