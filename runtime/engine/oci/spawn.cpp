#include "runtime/engine/oci/spawn.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <spawn.h>

#include "base/fd.hpp"
#include "base/scope_exit.hpp"

namespace warren::engine::oci {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kOutputKept = 2048;

std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> out;
    out.reserve(texts.size() + 1);
    for (const auto& text : texts) {
        out.push_back(const_cast<char*>(text.c_str()));
    }
    out.push_back(nullptr);
    return out;
}

// In memory and whole before the program starts: neither side can block the other.
base::Result<base::Fd> input_file(const std::string& text) {
    base::Fd file(::memfd_create("input", MFD_CLOEXEC));
    if (!file) {
        return base::errno_error("make a file in memory");
    }
    TRY(base::write_all(file.get(), text, "the program's input"));
    if (::lseek(file.get(), 0, SEEK_SET) != 0) {
        return base::errno_error("rewind the program's input");
    }
    return file;
}

struct Pipe {
    base::Fd read_end;
    base::Fd write_end;
};

base::Result<Pipe> output_pipe() {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return base::errno_error("make pipe");
    }
    Pipe pipe{base::Fd(ends[0]), base::Fd(ends[1])};
    if (::fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK) != 0) {
        return base::errno_error("set up pipe");
    }
    return pipe;
}

// `error` is what posix_spawn's helpers return.
base::Status check(int error, const std::string& what) {
    if (error != 0) {
        return base::errno_error(error, what);
    }
    return base::ok();
}

base::Status fill_actions(posix_spawn_file_actions_t& actions,
                          const Program& program,
                          int in,
                          int out) {
    const std::string what = "prepare " + program.path;
    if (!program.directory.empty()) {
        TRY(check(::posix_spawn_file_actions_addchdir_np(&actions, program.directory.c_str()),
                  what));
    }
    TRY(check(::posix_spawn_file_actions_adddup2(&actions, in, 0), what));
    TRY(check(::posix_spawn_file_actions_adddup2(&actions, out, 1), what));
    TRY(check(::posix_spawn_file_actions_adddup2(&actions, out, 2), what));
    for (const int fd : program.kept) {
        // To the same number: clears close-on-exec.
        TRY(check(::posix_spawn_file_actions_adddup2(&actions, fd, fd), what));
    }
    return base::ok();
}

base::Status fill_attributes(posix_spawnattr_t& attributes, const std::string& path) {
    sigset_t all;
    sigset_t none;
    ::sigfillset(&all);
    ::sigemptyset(&none);
    const std::string what = "prepare " + path;
    TRY(check(::posix_spawnattr_setsigdefault(&attributes, &all), what));
    TRY(check(::posix_spawnattr_setsigmask(&attributes, &none), what));
    return check(
        ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK),
        what);
}

base::Result<base::PidRef> spawn(const Program& program, int in, int out) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    const base::ScopeExit done([&] {
        ::posix_spawn_file_actions_destroy(&actions);
        ::posix_spawnattr_destroy(&attributes);
    });
    TRY(fill_actions(actions, program, in, out));
    TRY(fill_attributes(attributes, program.path));
    const auto argv = pointers(program.arguments);
    const auto env = program.env ? pointers(*program.env) : std::vector<char*>();
    pid_t pid = 0;
    const int error = ::posix_spawnp(&pid,
                                     program.path.c_str(),
                                     &actions,
                                     &attributes,
                                     argv.data(),
                                     program.env ? env.data() : environ);
    if (error != 0) {
        return base::errno_error(error, "run " + program.path);
    }
    // A child that is not reaped: the pid is still its own.
    base::Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd) {
        return base::errno_error("open the process of " + program.path);
    }
    return base::PidRef(pid, std::move(pidfd));
}

int millis_left(const std::optional<Clock::time_point>& deadline) {
    if (!deadline) {
        return -1;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

// False at the end of the stream.
bool drain(int fd, std::string& kept) {
    std::array<char, 4096> block{};
    for (;;) {
        const ssize_t got = ::read(fd, block.data(), block.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0;
        }
        kept.append(block.data(), static_cast<std::size_t>(got));
        if (kept.size() > kOutputKept) {
            kept.erase(0, kept.size() - kOutputKept);
        }
    }
}

// Until the process has ended. True: in time.
base::Result<bool> follow(const base::PidRef& process,
                          base::Fd output,
                          std::optional<Clock::time_point> deadline,
                          std::string& kept) {
    for (;;) {
        pollfd polled[] = {{process.pidfd(), POLLIN, 0}, {output.get(), POLLIN, 0}};
        const int left = millis_left(deadline);
        const int ready = ::poll(polled, 2, left);
        if (ready < 0 && errno != EINTR) {
            return base::errno_error("wait for a program");
        }
        if (ready > 0 && polled[1].revents != 0 && !drain(output.get(), kept)) {
            output.reset();
        }
        if (ready > 0 && polled[0].revents != 0) {
            if (output) {
                (void)drain(output.get(), kept);
            }
            return true;
        }
        if (ready == 0 && deadline && Clock::now() >= *deadline) {
            return false;
        }
    }
}

}  // namespace

base::Result<Finished> run_program(const Program& program) {
    const auto in = TRY(input_file(program.input));
    auto pipe = TRY(output_pipe());
    std::optional<Clock::time_point> deadline;
    if (program.timeout) {
        deadline = Clock::now() + *program.timeout;
    }
    const auto process = TRY(spawn(program, in.get(), pipe.write_end.get()));
    pipe.write_end.reset();
    Finished finished;
    auto in_time = follow(process, std::move(pipe.read_end), deadline, finished.output);
    if (!in_time || !in_time.value()) {
        (void)process.signal(SIGKILL);
    }
    finished.status = TRY(base::reap(process));
    finished.timed_out = TRY(std::move(in_time)) == false;
    return finished;
}

std::string words(const Finished& finished) {
    if (finished.timed_out) {
        return "took longer than its timeout";
    }
    std::string text = finished.status.signaled ? "was killed by signal " : "exited with status ";
    text += std::to_string(finished.status.value);
    const auto end = finished.output.find_last_not_of(" \t\r\n");
    if (end != std::string::npos) {
        text += ": " + base::printable(std::string_view(finished.output).substr(0, end + 1));
    }
    return text;
}

}  // namespace warren::engine::oci
