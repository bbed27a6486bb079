// The parent's side of the channel to a child: see the ladder in launcher.hpp. Internal to isolation.
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/pidref.hpp"
#include "base/result.hpp"
#include "isolation/child/interpreter.hpp"
#include "isolation/container_launcher.hpp"
#include "isolation/launcher.hpp"
#include "isolation/recipe.hpp"

namespace warren::isolation {

// A child that is killed and reaped unless it is let go.
class OwnedChild {
public:
    explicit OwnedChild(base::PidRef process) : process_(std::move(process)) {}

    OwnedChild(OwnedChild&&) noexcept = default;
    OwnedChild& operator=(OwnedChild&&) = delete;
    OwnedChild(const OwnedChild&) = delete;
    OwnedChild& operator=(const OwnedChild&) = delete;
    ~OwnedChild();

    [[nodiscard]] const base::PidRef& process() const { return process_; }

    [[nodiscard]] base::PidRef let_go() { return std::move(process_); }

private:
    base::PidRef process_;
};

// Both ends of a channel, on numbers from `first` on: the child puts others below.
struct Channel {
    base::Fd ours;
    base::Fd childs;
};

[[nodiscard]] base::Result<Channel> open_channel(int first = 3);

// What the child finds when it wakes. `null` receives /dev/null when a descriptor is missing; it must live until
// the clone.
[[nodiscard]] base::Result<child::Context> make_context(const Recipe& recipe,
                                                        const Channel& channel,
                                                        StdioFds stdio,
                                                        base::Fd& null);

// The host's /proc, for child::kProcSlot: what the child knows by its own names of what goes on in the host, opened
// where nothing is the guest's.
[[nodiscard]] base::Result<base::Fd> open_host_proc();

// The stack of a child that runs in our memory, with a guard page below. Freed only when the child has executed its
// program or ended.
class ChildStack {
public:
    [[nodiscard]] static base::Result<ChildStack> make();

    [[nodiscard]] void* lowest() const { return memory_.get(); }

    static constexpr std::size_t kSize = std::size_t{128} << 10;

private:
    struct Unmap {
        void operator()(void* memory) const;
    };

    explicit ChildStack(void* memory) : memory_(memory) {}

    std::unique_ptr<void, Unmap> memory_;
};

struct CloneRequest {
    std::uint64_t flags = 0;  // CLONE_NEW*, CLONE_VM
    int cgroup_fd = -1;
    const ChildStack* stack = nullptr;  // with CLONE_VM
};

// The arguments; the pidfd is stored in `pidfd`.
[[nodiscard]] clone_args make_clone_args(const CloneRequest& request, int& pidfd);

// Blocks all signals of this thread while it lives: between clone and exec no handler of ours may run.
class SignalsBlocked {
public:
    SignalsBlocked();
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;
    SignalsBlocked(SignalsBlocked&&) = delete;
    SignalsBlocked& operator=(SignalsBlocked&&) = delete;
    ~SignalsBlocked();

private:
    sigset_t before_{};
};

// clone3(2)'s errno in words.
[[nodiscard]] base::Error clone_error(int error_number, const CloneRequest& request);

// Sends the go with the descriptors.
[[nodiscard]] base::Status send_release(int channel, const std::vector<int>& slots);

// One report of the child; nullopt at the end of the channel.
struct Received {
    child::Report report{};
    std::string site;  // of the step, when it came along
    base::Fd fd;
};

[[nodiscard]] base::Result<std::optional<Received>> receive_report(int channel);

// What is expected of a child that walks.
struct FollowRequest {
    const Recipe* recipe = nullptr;  // nullptr: the reports bring their sites
    std::string program;             // argv[0]
    bool container = false;          // errors of exec are told as engines read them
    bool until_created = false;      // not until exec
    const ListenerHandler* on_listener = nullptr;
};

// setns(2)'s errno in words.
[[nodiscard]] base::Error entering_error(int error_number);

// Waits until the child has come that far or failed. The process is not reaped here.
[[nodiscard]] base::Result<Launched> follow(int channel,
                                            const base::PidRef& process,
                                            const FollowRequest& request);

// Waits until the child has executed its program or failed. The process is not reaped here.
[[nodiscard]] base::Result<Launched> await_exec(int channel,
                                                const base::PidRef& process,
                                                const Recipe& recipe);

// The joiner's only message: the process it made, which is a child of ours. `joiner` is reaped.
[[nodiscard]] base::Result<OwnedChild> adopt(int channel, OwnedChild joiner);

// Clones a process that enters the namespaces `flags` of `target` and then walks the recipe of `context`; it waits for its
// release. Closes the child's end of the channel.
[[nodiscard]] base::Result<OwnedChild> clone_joined(Channel& channel,
                                                    child::Context& context,
                                                    const base::PidRef& target,
                                                    std::uint64_t flags,
                                                    int cgroup_fd);

// How a child that was not reaped yet ended, in words: "was killed by SIGSYS (the system call filter)".
[[nodiscard]] std::string death_words(const base::PidRef& process);

// prlimit(2) and oom_score_adj for a process that waits for its release; returns notes. `strict`: a hard limit that
// this host refuses is an error, not a note.
[[nodiscard]] base::Result<std::vector<std::string>> apply_limits(pid_t pid,
                                                                  const ProcessSpec& process,
                                                                  bool strict = false);

}  // namespace warren::isolation
