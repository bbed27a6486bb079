// The engine of warren-oci: one method per verb, each in a file of its own (verb_create.cpp, ...). A request holds what
// the command line said; a result is a value for it to print. No text for people but errors, which are one line and
// hold the words engines look for: "permission denied", "not found", "no such file", "does not exist", "not running".
//
// No process of ours stays behind a container. create() leaves a child that waits on ROOT/ID/start.sock; start() lets it
// go on. Every verb that meets a container whose maker died half-way undoes it first. Not thread-safe: launching needs a
// process with one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/json.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "runtime/engine/faults.hpp"

namespace warren::engine::oci {

enum class Rootless : std::uint8_t { Auto, Yes, No };

// The global options.
struct Settings {
    std::string root;  // empty: /run/warren-oci, for an ordinary user $XDG_RUNTIME_DIR/warren-oci
    bool systemd_cgroup = false;
    bool cgroup_disabled =
        false;  // --cgroup-manager disabled: the container stays where its maker is
    Rootless rootless = Rootless::Auto;
    std::string criu = "criu";  // the program for checkpoint and restore
};

// How the first process, or one of exec, is wired to its caller. Paths may be relative to the working directory.
struct Wiring {
    std::string console_socket;      // gets the pty's master (SCM_RIGHTS); needs a terminal
    std::string pidfd_socket;        // gets a pidfd of the process (SCM_RIGHTS)
    std::string pid_file;            // written in one step once the process can be used
    std::uint32_t preserve_fds = 0;  // descriptors 3.. kept, counted after those of LISTEN_FDS
};

struct CreateRequest {
    std::string id;
    std::string bundle = ".";
    Wiring wiring;
    bool no_pivot = false;  // move the root onto / and chroot: for a bundle on the initial ramfs
    bool no_new_keyring = false;
    // What runs the container sees its exit status and its standard error, but not how `start` went.
    bool tells_exec_failure = true;
};

struct RunRequest {
    CreateRequest create;
    bool detach = false;
    bool keep = false;  // the container stays to be deleted
};

struct StartRequest {
    std::string id;
};

// What exec runs: a process of the spec in a file, or the container's own process with these changes.
struct ExecRequest {
    std::string id;
    std::string process_file;  // not empty: all members up to the empty line are ignored
    std::vector<std::string> args;
    bool terminal = false;
    std::optional<std::string> cwd;
    std::vector<std::string> env;     // "K=V", added to the container's
    std::optional<std::string> user;  // "UID[:GID]"
    std::vector<std::uint32_t> additional_gids;
    std::vector<std::string> capabilities;  // "CAP_X", added to the container's
    bool no_new_privs = false;
    std::optional<std::string> apparmor_profile;
    std::optional<std::string> process_label;

    std::vector<std::string> cgroups;  // "SUB" or "CONTROLLERS:SUB", below the container's
    bool ignore_paused = false;
    bool detach = false;
    Wiring wiring;
};

struct KillRequest {
    std::string id;
    int signal_number = 15;
    bool all = false;  // every process of the container, also of a stopped one
};

struct DeleteRequest {
    std::string id;
    bool force = false;  // kills first; an unknown id is success
};

struct PsRequest {
    std::string id;
};

// The flags replace what the file says. Units are the flags': bytes, microseconds. A limit of -1 takes it off.
struct UpdateRequest {
    std::string id;
    std::string resources_file;  // LinuxResources of the spec; "-": standard input
    std::optional<std::uint16_t> blkio_weight;
    std::optional<std::uint64_t> cpu_period;
    std::optional<std::int64_t> cpu_quota;
    std::optional<std::uint64_t> cpu_burst;
    std::optional<std::uint64_t> cpu_rt_period;
    std::optional<std::int64_t> cpu_rt_runtime;
    std::optional<std::uint64_t> cpu_shares;
    std::optional<std::int64_t> cpu_idle;
    std::optional<std::string> cpuset_cpus;
    std::optional<std::string> cpuset_mems;
    std::optional<std::int64_t> kernel_memory;      // refused: no such limit in cgroup v2
    std::optional<std::int64_t> kernel_memory_tcp;  // refused likewise
    std::optional<std::int64_t> memory;
    std::optional<std::int64_t> memory_reservation;
    std::optional<std::int64_t> memory_swap;  // memory and swap together, as in the spec
    std::optional<std::int64_t> pids_limit;
    std::optional<std::string> l3_cache_schema;
    std::optional<std::string> mem_bw_schema;
};

struct EventsRequest {
    std::string id;
    bool stats = false;  // one stats event, then the end
    std::chrono::milliseconds interval{5'000};
};

// False ends the stream.
using OnEvent = std::function<bool(const base::Json& event)>;

struct SpecRequest {
    std::string bundle = ".";
    bool rootless = false;
};

enum class CgroupMode : std::uint8_t { Soft, Full, Strict, Ignore };

struct CriuOptions {
    std::string image_path;  // empty: "checkpoint" in the working directory
    std::string work_path;   // empty: the image path
    bool tcp_established = false;
    bool tcp_skip_in_flight = false;
    bool ext_unix_sockets = false;
    bool shell_job = false;
    bool file_locks = false;
    bool link_remap = false;
    bool lazy_pages = false;
    bool auto_dedup = false;
    CgroupMode cgroups = CgroupMode::Soft;
    std::vector<std::string> empty_namespaces;  // "network"
};

struct CheckpointRequest {
    std::string id;
    CriuOptions criu;
    std::string parent_path;  // of an earlier pre-dump, relative to the image path
    std::string page_server;  // "ADDRESS:PORT"
    int status_fd = -1;       // told when lazy pages can be served
    bool leave_running = false;
    bool pre_dump = false;
};

struct RestoreRequest {
    CreateRequest create;
    CriuOptions criu;
    bool detach = false;
    bool keep = false;
    std::string lsm_profile;        // "apparmor:NAME" or "selinux:LABEL"
    std::string lsm_mount_context;  // for the SELinux labels of mounts
};

// "creating", "created", "running", "paused", "stopped": computed whenever asked for.
enum class Status : std::uint8_t { Creating, Created, Running, Paused, Stopped };
[[nodiscard]] std::string_view name(Status status);

// A container as state and list show it.
struct ContainerView {
    std::string oci_version;
    std::string id;
    pid_t pid = 0;  // 0 when stopped
    Status status = Status::Stopped;
    std::string bundle;
    std::string rootfs;
    std::string created;  // RFC 3339
    std::string owner;    // user name of who created it, or the uid
    std::map<std::string, std::string> annotations;
};

// As runc prints them: the state of the spec and pid, rootfs, created, owner beside it.
[[nodiscard]] base::Json to_json(const ContainerView& view);

class Engine {
public:
    [[nodiscard]] static base::Result<Engine> open(const Settings& settings, const base::Log& log);

    [[nodiscard]] base::Status create(const CreateRequest& request);
    [[nodiscard]] base::Status start(const StartRequest& request);
    // The exit code of the process (128 + signal); 0 when detached.
    [[nodiscard]] base::Result<int> run(const RunRequest& request);
    [[nodiscard]] base::Result<int> exec(const ExecRequest& request);
    [[nodiscard]] base::Status kill(const KillRequest& request);
    [[nodiscard]] base::Status delete_container(const DeleteRequest& request);
    [[nodiscard]] base::Status pause(const std::string& id);
    [[nodiscard]] base::Status resume(const std::string& id);
    [[nodiscard]] base::Status update(const UpdateRequest& request);

    [[nodiscard]] base::Result<ContainerView> state(const std::string& id);
    // All of ROOT, by id. What cannot be read is left out and said in the log.
    [[nodiscard]] base::Result<std::vector<ContainerView>> list();
    // Pids in the caller's pid namespace, ascending.
    [[nodiscard]] base::Result<std::vector<pid_t>> ps(const PsRequest& request);
    [[nodiscard]] base::Status events(const EventsRequest& request, const OnEvent& on_event);
    // What this program on this kernel can do, in the form of the spec's features.md.
    [[nodiscard]] base::Json features() const;
    // Writes BUNDLE/config.json; Exists when there is one.
    [[nodiscard]] base::Status spec(const SpecRequest& request) const;

    [[nodiscard]] base::Status checkpoint(const CheckpointRequest& request);
    // As run().
    [[nodiscard]] base::Result<int> restore(const RestoreRequest& request);

private:
    Engine(Settings settings, base::Log log);

    Settings settings_;
    base::Log log_;
    Faults faults_;
};

}  // namespace warren::engine::oci
