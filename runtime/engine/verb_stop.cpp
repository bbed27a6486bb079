#include <algorithm>
#include <csignal>
#include <numeric>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/units.hpp"
#include "runtime/engine/join.hpp"
#include "runtime/engine/recover.hpp"
#include "runtime/engine/start.hpp"
#include "runtime/engine/stop.hpp"
#include "runtime/engine/stop_method.hpp"
#include "runtime/engine/teardown.hpp"

namespace warren::engine {

namespace {

using Clock = std::chrono::steady_clock;

// A mask of proc_pid_status(5): "SigCgt:" or "SigBlk:".
bool mask_has(const std::string& status, const std::string& field, int signal_number) {
    const auto at = status.find("\n" + field + ":");
    if (at == std::string::npos) {
        return false;
    }
    const auto mask = std::strtoull(status.c_str() + at + field.size() + 2, nullptr, 16);
    return ((mask >> static_cast<unsigned>(signal_number - 1)) & 1U) != 0;
}

enum class Hearing : std::uint8_t { Takes, Ignores, Unknown };

// How long one may take of which nobody knows whether it was listening.
constexpr std::chrono::seconds kUnknownGrace{2};

// A first process is not killed by a signal it has no handler for (pid_namespaces(7)): asking would be waiting in
// vain. systemd blocks its signals and reads them from a signalfd; busybox init and tini wait in sigtimedwait(2), which
// shows what it waits for as not blocked. Some kernels do not tell the system call (User-mode Linux has no such file),
// and none tells that of a process that is running just now.
Hearing takes_signal(pid_t pid, int signal_number) {
    const std::string proc = "/proc/" + std::to_string(pid);
    const auto status = base::read_file_at(AT_FDCWD, proc + "/status");
    if (!status) {
        return Hearing::Ignores;
    }
    if (mask_has(status.value(), "SigCgt", signal_number) ||
        mask_has(status.value(), "SigBlk", signal_number)) {
        return Hearing::Takes;
    }
    const auto call = base::read_file_at(AT_FDCWD, proc + "/syscall");
    if (!call || call.value().starts_with("running")) {
        return Hearing::Unknown;
    }
    return call.value().starts_with(std::to_string(SYS_rt_sigtimedwait) + " ") ? Hearing::Takes
                                                                               : Hearing::Ignores;
}

// These take the signal they are asked with, and may need all of the time.
bool has_known_init(const spec::GuestConfig& config) {
    return config.kind == isolation::GuestKind::Machine && !config.init_system.empty() &&
           config.init_system != "unknown";
}

bool run_stop_command(const Context& context,
                      const state::RunRecord& run,
                      const spec::GuestConfig& config,
                      const std::vector<std::string>& command) {
    auto null_fd = base::open_at(AT_FDCWD, "/dev/null", O_RDWR);
    if (!null_fd) {
        return false;
    }
    const int fd = null_fd.value().get();
    JoinRequest request;
    request.command = command;
    request.cwd = "/";
    // The command ends with the guest at the latest; the batch reaps it.
    return static_cast<bool>(join_running(context, run, config, request, {fd, fd, fd}));
}

void reap_stop_commands() {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
}

}  // namespace

struct StopBatch::Entry {
    std::size_t index;
    base::FileLock lock;
    state::RunRecord run;
    spec::GuestConfig config;  // what is running
    std::optional<base::PidRef> init;
    bool killed = false;
    Clock::time_point killed_after = Clock::time_point::max();
};

StopBatch::StopBatch(const Context& context) : context_(context) {}

StopBatch::~StopBatch() = default;

base::Result<bool> StopBatch::add(std::size_t index,
                                  const base::Name& name,
                                  std::chrono::milliseconds lock_timeout) {
    auto held = TRY(hold(context_, name, lock_timeout));
    if (!held.situation.run) {
        // Its record may have been damaged and set aside while it ran.
        TRY(cgroups::remove_cgroup(
            context_.host.cgroup, guest_cgroup_path(context_, name.str()), kKillTimeout));
        return false;
    }
    auto config = held.situation.running_config();
    auto run = std::move(*held.situation.run);
    run.phase = state::RunPhase::Stopping;
    TRY(context_.store.save_run(run));
    context_.faults.hit("stop: recorded");
    auto init = TRY(base::PidRef::open(*run.init));
    entries_.push_back(
        Entry{index, std::move(held.lock), std::move(run), std::move(config), std::move(init)});
    return true;
}

void StopBatch::ask() {
    for (auto& entry : entries_) {
        if (!entry.init) {
            continue;
        }
        if (entry.run.paused) {
            if (auto cgroup = cgroups::Cgroup::open(context_.host.cgroup, entry.run.cgroup)) {
                (void)cgroup.value().thaw();
            }
        }
        const auto method = stop_method(entry.config);
        if (!method.command.empty() &&
            run_stop_command(context_, entry.run, entry.config, method.command)) {
            continue;
        }
        const Hearing hearing = takes_signal(entry.init->pid(), method.signal_number);
        if (hearing == Hearing::Ignores) {
            kill(entry);
            continue;
        }
        if (hearing == Hearing::Unknown && !has_known_init(entry.config)) {
            entry.killed_after = Clock::now() + kUnknownGrace;
        }
        (void)entry.init->signal(method.signal_number);
    }
}

void StopBatch::kill(Entry& entry) {
    entry.killed = true;
    if (auto cgroup = cgroups::Cgroup::open(context_.host.cgroup, entry.run.cgroup)) {
        (void)cgroup.value().kill();
    }
    if (entry.init) {
        (void)entry.init->signal(SIGKILL);
    }
}

void StopBatch::wait(std::chrono::milliseconds timeout) {
    const auto deadline = Clock::now() + timeout;
    for (;;) {
        std::vector<pollfd> polled;
        for (auto& entry : entries_) {
            if (!entry.init || entry.killed ||
                entry.init->wait_exit(std::chrono::milliseconds{0}).value()) {
                continue;
            }
            if (Clock::now() >= entry.killed_after) {
                kill(entry);
                continue;
            }
            polled.push_back({entry.init->pidfd(), POLLIN, 0});
        }
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        if (polled.empty() || left <= 0) {
            return;
        }
        reap_stop_commands();
        (void)::poll(polled.data(), polled.size(), static_cast<int>(std::min<long>(left, 250)));
    }
}

void StopBatch::finish(const OnItem& done) {
    // All are killed before the first is waited for.
    for (auto& entry : entries_) {
        if (entry.init && !entry.init->wait_exit(std::chrono::milliseconds{0}).value()) {
            kill(entry);
        }
    }
    for (auto& entry : entries_) {
        if (entry.init) {
            // Then its cgroup is empty, and nobody has to look at it again and again.
            (void)entry.init->wait_exit(kKillTimeout);
        }
        auto status =
            finish_run(context_, entry.run, std::nullopt, entry.killed ? "killed" : "stopped");
        { const base::FileLock released = std::move(entry.lock); }
        done(entry.index, std::move(status));
    }
    entries_.clear();
    reap_stop_commands();
}

namespace {

// As many at once as a process can surely hold locks and pidfds for.
constexpr std::size_t kBatch = 200;

struct Stopping {
    Context context;
    const std::vector<base::Name>& names;
    std::chrono::milliseconds timeout;
};

// Gives back those whose lock could not be had in time.
std::vector<std::size_t> stop_some(const Stopping& work,
                                   const std::vector<std::size_t>& indices,
                                   std::chrono::milliseconds lock_timeout,
                                   const OnItem& tell) {
    std::vector<std::size_t> busy;
    StopBatch batch(work.context);
    for (const std::size_t index : indices) {
        auto added = batch.add(index, work.names[index], lock_timeout);
        if (!added && added.error().kind() == base::ErrorKind::Busy && lock_timeout.count() == 0) {
            busy.push_back(index);
        } else if (!added) {
            tell(index, std::move(added).error());
        } else if (!added.value()) {
            tell(index, base::ok());  // stopped already
        }
    }
    batch.ask();
    batch.wait(work.timeout);
    batch.finish(tell);
    return busy;
}

// One that another command is at work on is waited for when the others have stopped.
void stop_slice(const Stopping& work, std::size_t begin, std::size_t end, const OnItem& tell) {
    std::vector<std::size_t> all(end - begin);
    std::iota(all.begin(), all.end(), begin);
    const auto busy = stop_some(work, all, std::chrono::milliseconds{0}, tell);
    (void)stop_some(work, busy, kLockTimeout, tell);
}

// Each worker asks its share before it waits for the first.
void stop_all(const Stopping& work, const OnOutcome& done) {
    const std::size_t workers = worker_count(work.names.size());
    run_slices_in_workers(
        work.names.size(),
        workers,
        std::min(kBatch, (work.names.size() + workers - 1) / workers),
        [&](std::size_t begin, std::size_t end, const OnItem& tell) {
            stop_slice(work, begin, end, tell);
        },
        [&](std::size_t index, base::Status status) {
            done(Outcome{work.names[index], std::move(status)});
        });
}

}  // namespace

void Engine::stop(const std::vector<base::Name>& names,
                  const StopOptions& options,
                  const OnOutcome& done) {
    stop_all({context(), names, options.timeout}, done);
}

void Engine::restart(const std::vector<base::Name>& names,
                     const StopOptions& options,
                     const OnOutcome& done) {
    std::vector<base::Name> stopped;
    stop_all({context(), names, options.timeout}, [&](const Outcome& outcome) {
        if (outcome.status) {
            stopped.push_back(outcome.name);
        } else {
            done(outcome);
        }
    });
    std::sort(stopped.begin(), stopped.end());
    start(stopped, StartOptions{}, done);
}

}  // namespace warren::engine
