// One guest of the yardstick: the system calls that build a guest's walls, and nothing else. No configuration is
// parsed, no state is kept, no lock is taken; what is the same for all guests (the filter, the device program) comes
// compiled. Linux 6.1, x86-64 or arm64.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <linux/filter.h>
#include <sys/types.h>

namespace floor_bench {

// The steps of a launch, in their order. The first half is the parent's, the second the guest's own process's.
enum class Step : std::uint8_t {
    Cgroup,   // made, limited, its device program attached, given to the guest's root
    Clone,    // clone3 into all namespaces and the cgroup, and the id maps
    Root,     // the overlay over idmapped layers, or the bind
    Dev,      // a tmpfs with nodes and links
    Network,  // lo up; hostname, session keyring, cgroup namespace
    Pivot,    // attach the root, become the guest's root, pivot_root, drop the old tree
    Proc,
    Sysfs,
    OtherMounts,  // cgroup2, devpts, shm, mqueue, the mask; and all attached
    Masks,        // masked and read-only paths
    Filter,
    Capabilities,
    Exec,  // from the child's last word until the program is there
    Wait,  // until it has ended, or until it was killed and reaped
    Undo,  // the cgroup and the overlay's directories
};
inline constexpr std::size_t kStepCount = 15;
[[nodiscard]] const char* step_name(Step step);

using Times = std::array<std::uint64_t, kStepCount>;  // nanoseconds

struct Settings {
    std::string root;  // the guests' root file system, a directory
    std::string
        scratch;  // overlay: where upper directories are made; empty: the root is bound, read-only
    std::string cgroup;  // a cgroup v2 directory below which the guests' are made; empty: none
    std::vector<sock_filter> filter;     // empty: none
    int device_program = -1;             // BPF_PROG_TYPE_CGROUP_DEVICE, loaded; -1: none
    bool network = true;                 // a network namespace of its own
    bool users = true;                   // a user namespace of its own
    std::uint32_t first_id = 1U << 28U;  // guest N has the ids from first_id + N * 65536
    std::vector<char*> argv;             // ends with nullptr
};

struct Guest {
    pid_t pid = -1;
    int pidfd = -1;
    int cgroup_fd = -1;
    std::string name;
};

// Returns when the program has been executed; ends this process with a message when anything fails. `child_times` is
// memory shared with the child.
[[nodiscard]] Guest launch(const Settings& settings,
                           std::uint32_t index,
                           Times& times,
                           Times* child_times);
// Waits for the guest's end; with `kill` ends it first. Returns the exit status, 128 + N for a signal.
int reap(Guest& guest, bool kill, Times& times);
// Removes what launch() made beside the guest.
void undo(const Settings& settings, Guest& guest, Times& times);

[[nodiscard]] std::uint64_t now_ns();
// Prints "bench_floor: WHAT: errno" and ends the process.
[[noreturn]] void die(const std::string& what);

// Adds to each step's time what has passed since the step before it ended.
class Clock {
public:
    explicit Clock(Times& times) : times_(times), last_(now_ns()) {}

    void done(Step step) {
        const std::uint64_t now = now_ns();
        times_[static_cast<std::size_t>(step)] += now - last_;
        last_ = now;
    }

    // What has passed belongs to no step.
    void restart() { last_ = now_ns(); }

private:
    Times& times_;
    std::uint64_t last_;
};

// The guest's own process, from its birth to exec.
struct ChildInput {
    const Settings* settings = nullptr;
    const char* hostname = nullptr;
    int channel = -1;
    Times* times = nullptr;
};

[[noreturn]] void run_child(const ChildInput& input);

}  // namespace floor_bench
