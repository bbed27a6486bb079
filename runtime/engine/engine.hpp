// The engine: one function per verb of the command line, each in a file of its own (verb_create.cpp, ...). It wires
// the modules: it owns no kernel knowledge and no text for people beyond errors.
//
// Every verb recovers a guest it meets half-way (see recover.hpp), takes the guest's lock, and leaves either the
// new state or the old one. Nothing here needs a daemon. Not thread-safe: launching needs a process with one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "images/image.hpp"
#include "runtime/engine/faults.hpp"
#include "runtime/engine/view.hpp"
#include "runtime/spec/guest_config.hpp"
#include "runtime/spec/host_caps.hpp"
#include "runtime/state/store.hpp"

namespace warren::engine {

struct Context;

struct Paths {
    state::StorePaths store;
    std::string cgroup_parent;  // empty: warren.slice's scope under systemd, else /warren
};

// How many names a batch means. Exactly one member is used, in this order.
struct Selection {
    std::vector<base::Name> names;
    std::map<std::string, std::string> labels;  // all must match
    bool all = false;
};

// For list: {"name" or "status" or "image", value} or {"label", "KEY" or "KEY=VALUE"}. All must match.
using Filter = std::pair<std::string, std::string>;
using Filters = std::vector<Filter>;

// One guest's outcome in a batch. All that can be done is done.
struct Outcome {
    base::Name name;
    base::Status status;
};

// Called as each guest of a batch is done.
using OnOutcome = std::function<void(const Outcome&)>;

struct StdioRequest {
    bool interactive = false;  // pass stdin on
    bool terminal = false;     // a pty
    bool detach = false;
};

struct CreateRequest {
    spec::GuestConfig config;  // name may be empty: one is chosen ("brisk-otter-3f")
};

struct RunRequest {
    spec::GuestConfig config;
    StdioRequest stdio;
};

struct ExecRequest {
    base::Name name;
    std::vector<std::string> command;  // empty: root's login shell (enter)
    std::vector<std::string> env;
    std::string user;  // "USER[:GROUP]", names or numbers of the guest; empty: root
    std::string cwd;   // empty: the user's home, else /
    StdioRequest stdio;
};

struct RunOutcome {
    base::Name name;
    int exit_code = 0;  // the command's own; 0 when detached
    std::vector<std::string> notes;
};

struct StopOptions {
    std::chrono::milliseconds timeout{10'000};  // for the guest's own way; then it is killed
};

struct SetOutcome {
    std::vector<std::string> live;     // "memory.max"
    std::vector<std::string> pending;  // "hostname": waits for a restart
};

struct LogRequest {
    base::Name name;
    bool follow = false;
    std::optional<std::uint64_t> last_lines;
};

class Engine {
public:
    // Probes the host. `create_root`: make ROOT when absent (verbs that change); others see an empty store.
    [[nodiscard]] static base::Result<Engine> open(const Paths& paths,
                                                   bool create_root,
                                                   const base::Log& log);

    [[nodiscard]] const spec::HostCaps& host() const { return host_; }

    [[nodiscard]] base::Result<images::ImageStore> images() const;
    // Busy, naming guests, while any guest is made of it.
    [[nodiscard]] base::Status remove_image(const base::Name& name);

    [[nodiscard]] base::Result<GuestView> create(const CreateRequest& request);
    // The plan in words, nothing changed: create's config, mounts, limits and the recipe of the start.
    [[nodiscard]] base::Result<std::string> describe_plan(const CreateRequest& request);
    [[nodiscard]] base::Result<std::string> describe_start(const base::Name& name);

    // Names of a selection, sorted; unknown names are errors of their own in the batch.
    [[nodiscard]] base::Result<std::vector<base::Name>> select(const Selection& selection);

    // `wait`: until the guest's init says it is up (systemd: is-system-running, others: default runlevel reached), or the timeout.
    struct StartOptions {
        bool wait = false;
        std::chrono::milliseconds wait_timeout{60'000};
    };

    void start(const std::vector<base::Name>& names,
               const StartOptions& options,
               const OnOutcome& done);
    void stop(const std::vector<base::Name>& names,
              const StopOptions& options,
              const OnOutcome& done);
    void restart(const std::vector<base::Name>& names,
                 const StopOptions& options,
                 const OnOutcome& done);
    void kill(const std::vector<base::Name>& names, int signal_number, const OnOutcome& done);
    void pause(const std::vector<base::Name>& names, const OnOutcome& done);
    void resume(const std::vector<base::Name>& names, const OnOutcome& done);
    void destroy(const std::vector<base::Name>& names, bool force, const OnOutcome& done);

    // Errors of run and exec: place() kExecPlace tells a program that could not be run (cli maps 126, 127); others are 125.
    [[nodiscard]] base::Result<RunOutcome> run(const RunRequest& request);
    [[nodiscard]] base::Result<RunOutcome> exec(const ExecRequest& request);
    [[nodiscard]] base::Result<SetOutcome> set(const base::Name& name,
                                               const spec::ConfigUpdate& update);

    // Recovers what it meets.
    [[nodiscard]] base::Result<std::vector<GuestView>> list(const Filters& filters);
    // The same in brief, and sooner.
    [[nodiscard]] base::Result<std::vector<GuestBrief>> list_brief(const Filters& filters);
    [[nodiscard]] base::Result<GuestView> inspect(const base::Name& name);
    [[nodiscard]] base::Result<StatsView> stats(const base::Name& name);
    [[nodiscard]] base::Result<std::vector<ProcessView>> top(const base::Name& name);
    // Writes to `out_fd` until the end, or with follow until the guest stops or out_fd closes.
    [[nodiscard]] base::Status logs(const LogRequest& request, int out_fd);
    [[nodiscard]] base::Result<std::vector<Finding>> doctor();

private:
    Engine(
        Paths paths, state::Store store, spec::HostCaps host, std::string boot_id, base::Log log);
    [[nodiscard]] Context context();

    Paths paths_;
    state::Store store_;
    spec::HostCaps host_;
    std::string boot_id_;
    base::Log log_;
    Faults faults_;
};

}  // namespace warren::engine
