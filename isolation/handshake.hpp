// The parent's side of the channel to a child: see the ladder in launcher.hpp. Internal to isolation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/pidref.hpp"
#include "base/result.hpp"
#include "isolation/child/interpreter.hpp"
#include "isolation/container_launcher.hpp"
#include "isolation/launcher.hpp"
#include "isolation/recipe.hpp"

namespace warren::isolation {

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

// prlimit(2) and oom_score_adj for a process that waits for its release; returns notes. `strict`: a hard limit that
// this host refuses is an error, not a note.
[[nodiscard]] base::Result<std::vector<std::string>> apply_limits(pid_t pid,
                                                                  const ProcessSpec& process,
                                                                  bool strict = false);

}  // namespace warren::isolation
