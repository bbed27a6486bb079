// One guest's cgroup, worked on through a directory descriptor, and the parent below which guests live.
//
//   unified/...PARENT/            controllers enabled for the children; holds no process itself
//     GUEST/                      limits, device program, freezer; the root of the guest's cgroup namespace
//       warren.exec/              where processes that join go: a guest's init may have enabled controllers
//                                 on GUEST, and then no process may live in GUEST itself
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "cgroups/host.hpp"
#include "cgroups/limits.hpp"

namespace warren::cgroups {

// Where guests live. Under systemd a transient scope with delegation in warren.slice
// (warren.slice/SCOPE.scope/), asked for over D-Bus and kept alive by the guests in it; otherwise /PARENT at the
// root of the v2 tree (or below our own cgroup's namespace root).
struct ParentConfig {
    std::string name = "warren";  // one per runtime root: "warren", "warren-1a2b3c4d"
    std::string configured_path;  // not empty: this path below the mount point, whoever is PID 1
};

// The path below the mount point where guests of this parent are (nothing is made).
[[nodiscard]] std::string parent_path(const Host& host, const ParentConfig& config);

// Makes the parent when absent, enables every available controller for its children. Idempotent, safe against a second caller.
// A systemd scope starts with a process and ends when it is empty, so a short-lived child of ours holds it until
// the caller has put a guest in: the destructor lets it go.
class Parent {
public:
    [[nodiscard]] static base::Result<Parent> ensure(const Host& host, const ParentConfig& config);
    Parent(Parent&&) noexcept;
    Parent& operator=(Parent&&) noexcept;
    Parent(const Parent&) = delete;
    Parent& operator=(const Parent&) = delete;
    ~Parent();

    [[nodiscard]] int dir() const { return dir_.get(); }

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    Parent(base::Fd dir, std::string path) : dir_(std::move(dir)), path_(std::move(path)) {}

    base::Fd dir_;
    std::string path_;
    pid_t holder_ = -1;
    base::Fd holder_pidfd_;
};

// Removes an empty parent made by us (no scope: systemd removes that); "not empty" and "absent" are success.
[[nodiscard]] base::Status remove_parent(const Host& host, const ParentConfig& config);

struct DeviceAccess {
    char type = 'c';                            // 'c', 'b', or 'a' for all
    std::optional<std::uint32_t> major, minor;  // absent: any
    bool read = true, write = true, make = false;
};

struct Stats {
    std::optional<std::uint64_t> cpu_usage_micros, cpu_user_micros, cpu_system_micros,
        cpu_throttled_micros;
    std::optional<std::uint64_t> memory_bytes, memory_peak_bytes, swap_bytes;
    std::optional<std::uint64_t> memory_max_bytes;  // absent: no limit
    std::optional<std::uint64_t> memory_file_bytes, memory_anon_bytes;
    std::optional<std::uint64_t> oom_kills, memory_max_hits;
    std::optional<std::uint64_t> pids;  // by pids.current, or counted
    std::optional<std::uint64_t> pids_max;
    std::optional<std::uint64_t> io_read_bytes, io_write_bytes, io_reads, io_writes;
    std::map<std::string, double> pressure_some_avg10;  // "cpu", "memory", "io"
};

// A handle on the directory; does not own the kernel object: remove() is explicit.
class Cgroup {
public:
    // mkdir below the parent; an existing empty one is taken over, made anew. How many cgroups can be made
    // below it is bounded: the kernel has 65535 of them with memory limits for all guests together.
    [[nodiscard]] static base::Result<Cgroup> create(int parent_dir, const std::string& name);
    // `path` below the v2 mount point. NotFound when it is gone.
    [[nodiscard]] static base::Result<Cgroup> open(const Host& host, const std::string& path);

    [[nodiscard]] int dir() const { return dir_.get(); }

    [[nodiscard]] base::Status apply(
        const Limits& limits) const;  // every knob it names; the error names the knob
    // Gives the guest's root the directory and cgroup.{procs,threads,subtree_control}: its own subtree is its own,
    // the limits stay the host's. Host ids.
    [[nodiscard]] base::Status delegate(uid_t uid, gid_t gid) const;
    // Replaces the device program: default deny and this list (BPF_PROG_TYPE_CGROUP_DEVICE, Linux 4.15).
    [[nodiscard]] base::Status set_devices(const std::vector<DeviceAccess>& allowed) const;
    // The directory for joining processes, delegated as well. Made when absent.
    [[nodiscard]] base::Result<base::Fd> exec_dir(uid_t uid, gid_t gid) const;

    [[nodiscard]] base::Status freeze(
        std::chrono::milliseconds timeout) const;  // waits for cgroup.events frozen
    [[nodiscard]] base::Status thaw() const;
    [[nodiscard]] base::Result<bool> frozen() const;
    [[nodiscard]] base::Result<bool> populated() const;
    // SIGKILL to everything below (cgroup.kill; before 5.14 freeze, kill each, thaw). Thaws so that it can die.
    [[nodiscard]] base::Status kill() const;
    [[nodiscard]] base::Result<bool> wait_empty(
        std::chrono::milliseconds timeout) const;  // poll on cgroup.events
    [[nodiscard]] base::Result<std::vector<pid_t>> processes()
        const;  // of the whole subtree, host pids
    [[nodiscard]] base::Result<Stats> stats() const;

private:
    explicit Cgroup(base::Fd dir, std::string path)
        : dir_(std::move(dir)), path_(std::move(path)) {}

    base::Fd dir_;
    std::string path_;
};

// Kills what is inside, waits, and removes the directory with all below it. Absent is success.
[[nodiscard]] base::Status remove_cgroup(const Host& host,
                                         const std::string& path,
                                         std::chrono::milliseconds timeout);

// Removes it if nobody is in it or below it and it has no children: the kernel refuses others. True: it is gone.
[[nodiscard]] bool remove_unused_cgroup(const Host& host, const std::string& path);

}  // namespace warren::cgroups
