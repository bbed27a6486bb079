#include "images/program.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <string_view>

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace warren::images {
namespace {

constexpr int kCannotRun = 127;
constexpr int kCannotPrepare = 126;

struct Pipe {
    base::Fd read_end;
    base::Fd write_end;
};

base::Result<Pipe> make_pipe() {
    std::array<int, 2> fds{};
    if (pipe2(fds.data(), O_CLOEXEC) != 0) {
        return base::errno_error("create pipe");
    }
    return Pipe{base::Fd(fds[0]), base::Fd(fds[1])};
}

// What tools need; nothing else of our environment is their business.
std::vector<std::string> tool_environment() {
    std::vector<std::string> out{
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL=C.UTF-8",
        "HOME=/root",
        "DEBIAN_FRONTEND=noninteractive",
        std::string("TMPDIR=") + kScratchPath,
    };
    for (const char* name : {"http_proxy", "https_proxy", "no_proxy"}) {
        if (const char* value = getenv(name)) {
            out.push_back(std::string(name) + "=" + value);
        }
    }
    return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    out.reserve(texts.size() + 1);
    for (std::string& text : texts) {
        out.push_back(text.data());
    }
    out.push_back(nullptr);
    return out;
}

struct ChildSetup {
    int input, output, messages;
    const char* scratch_path;  // empty: none
    char* const* arguments;
    char* const* environment;
};

bool prepare_child(const ChildSetup& setup) {
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, nullptr);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)umask(022);
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && setsid() >= 0 && chdir("/") == 0 &&
           dup2(setup.input, 0) >= 0 && dup2(setup.output, 1) >= 0 &&
           dup2(setup.messages, 2) >= 0 &&
           mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           (*setup.scratch_path == 0 ||
            mount(setup.scratch_path, kScratchPath, nullptr, MS_BIND, nullptr) == 0);
}

[[noreturn]] void run_child(const ChildSetup& setup) {
    if (!prepare_child(setup)) {
        _exit(kCannotPrepare);
    }
    (void)execvpe(setup.arguments[0], setup.arguments, setup.environment);
    _exit(kCannotRun);
}

base::Result<base::PidRef> clone_child(const ChildSetup& setup) {
    int pidfd = -1;
    clone_args args{};
    args.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
    args.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
    args.exit_signal = SIGCHLD;
    const long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid < 0) {
        return base::errno_error(std::string("start ") + setup.arguments[0]);
    }
    if (pid == 0) {
        run_child(setup);
    }
    return base::PidRef(static_cast<pid_t>(pid), base::Fd(pidfd));
}

}  // namespace

base::Result<RunningProgram> RunningProgram::start(const Program& program) {
    const base::Fd input = TRY(base::open_at(AT_FDCWD, "/dev/null", O_RDONLY));
    Pipe output = TRY(make_pipe());
    base::Fd messages(memfd_create("messages", MFD_CLOEXEC));
    if (!messages) {
        return base::errno_error("create memory file");
    }
    std::vector<std::string> arguments = program.arguments;
    std::vector<std::string> environment = tool_environment();
    const auto argument_pointers = pointers(arguments);
    const auto environment_pointers = pointers(environment);
    // By its name: a descriptor leads to a mount of our namespace, which cannot be bound in
    // another.
    std::string scratch_path;
    if (program.scratch >= 0) {
        scratch_path = TRY(base::read_link_at(AT_FDCWD, base::proc_fd_path(program.scratch)));
    }
    const ChildSetup setup{input.get(),
                           output.write_end.get(),
                           messages.get(),
                           scratch_path.c_str(),
                           argument_pointers.data(),
                           environment_pointers.data()};
    base::PidRef process = TRY(clone_child(setup));
    return RunningProgram(
        std::move(process), std::move(output.read_end), std::move(messages), program);
}

RunningProgram::~RunningProgram() {
    if (process_.valid()) {
        (void)process_.signal(SIGKILL);
        (void)base::reap(process_);
    }
}

void RunningProgram::follow(const std::function<void(std::string_view, std::uint64_t)>& progress) {
    constexpr int kTickMs = 500;
    constexpr std::size_t kTail = 512;
    if (!progress) {
        return;
    }
    std::string tail(kTail, '\0');
    for (;;) {
        pollfd output{output_.get(), POLLIN, 0};
        if (poll(&output, 1, kTickMs) != 0 && errno != EINTR) {
            return;
        }

        struct stat info {};

        if (fstat(messages_.get(), &info) != 0 || info.st_size == 0) {
            continue;
        }
        const off_t from = std::max<off_t>(0, info.st_size - static_cast<off_t>(kTail));
        const ssize_t got = pread(messages_.get(), tail.data(), tail.size(), from);
        if (got > 0) {
            progress(last_lines(tail.substr(0, static_cast<std::size_t>(got)), 1), 0);
        }
    }
}

base::Status RunningProgram::wait() {
    output_.reset();
    auto status = base::reap(process_);
    process_ = base::PidRef();
    const base::ExitStatus exit = TRY(std::move(status));
    if (!exit.signaled && exit.value == 0) {
        return base::ok();
    }
    const std::string& name = program_.arguments.front();
    if (!exit.signaled && exit.value == kCannotRun) {
        return base::Error(
            base::ErrorKind::Unsupported,
            "run " + name + ": it is not installed (apt-get install " + program_.package + ")");
    }
    constexpr std::size_t kMaxMessages = 16U << 20U;
    (void)lseek(messages_.get(), 0, SEEK_SET);
    const std::string text = TRY(base::read_all(messages_.get(), kMaxMessages, "messages"));
    const std::string how = exit.signaled ? "was killed by signal " : "exited with ";
    return base::fail(name + " " + how + std::to_string(exit.value) + ": " + last_lines(text, 5));
}

base::Result<std::string> run_program(const Program& program, std::size_t limit) {
    RunningProgram running = TRY(RunningProgram::start(program));
    auto text = base::read_all(running.output(), limit, program.arguments.front());
    TRY(running.wait());
    return text;
}

std::string last_lines(const std::string& text, std::size_t count) {
    std::string out;
    std::size_t end = text.size();
    while (count > 0 && end > 0) {
        const std::size_t newline = text.rfind('\n', end - 1);
        const std::size_t start = newline == std::string::npos ? 0 : newline + 1;
        const std::string line = text.substr(start, end - start);
        end = start == 0 ? 0 : start - 1;
        if (line.find_first_not_of(" \t\r") == std::string::npos) {
            continue;
        }
        out = base::printable(line) + (out.empty() ? "" : "; ") + out;
        --count;
    }
    return out;
}

}  // namespace warren::images
