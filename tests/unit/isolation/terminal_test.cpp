// The relay against real processes on real ptys and pipes.
#include "isolation/terminal.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <functional>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "base/fd.hpp"

namespace {

using namespace warren;

struct Pty {
    Pty() {
        int master_fd = -1;
        int slave_fd = -1;
        REQUIRE(::openpty(&master_fd, &slave_fd, nullptr, nullptr, nullptr) == 0);
        master = base::Fd(master_fd);
        slave = base::Fd(slave_fd);
        (void)::fcntl(master_fd, F_SETFD, FD_CLOEXEC);
        (void)::fcntl(slave_fd, F_SETFD, FD_CLOEXEC);
    }

    base::Fd master;
    base::Fd slave;
};

struct Pipe {
    Pipe() {
        std::array<int, 2> fds{};
        REQUIRE(::pipe2(fds.data(), O_CLOEXEC) == 0);
        read = base::Fd(fds[0]);
        write = base::Fd(fds[1]);
    }

    base::Fd read;
    base::Fd write;
};

base::PidRef start(const std::function<int()>& body) {
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        // Without the test framework's handlers.
        for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) {
            (void)::signal(signal, SIG_DFL);
        }
        ::_exit(body());
    }
    base::Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    REQUIRE(pidfd.valid());
    return {pid, std::move(pidfd)};
}

// A shell command with the given descriptors; `controlling`: the first is its terminal.
int become(const char* script, int in, int out, int err, bool controlling) {
    if (controlling && (::setsid() < 0 || ::ioctl(in, TIOCSCTTY, 0) != 0)) {
        return 98;
    }
    (void)::dup2(in, 0);
    (void)::dup2(out, 1);
    (void)::dup2(err, 2);
    ::execl("/bin/sh", "sh", "-c", script, nullptr);
    return 97;
}

base::PidRef start_on(Pty& guest, const char* script) {
    const int slave = guest.slave.get();
    auto process = start([&] { return become(script, slave, slave, slave, true); });
    guest.slave.reset();
    return process;
}

// What comes out of `fd` until `text` has come, the end, or a long while.
std::string read_until(int fd, const std::string& text) {
    std::string all;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (all.find(text) == std::string::npos && std::chrono::steady_clock::now() < end) {
        pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
        std::array<char, 4096> buffer{};
        if (::poll(&ready, 1, 1000) <= 0) {
            continue;
        }
        const ssize_t got = ::read(fd, buffer.data(), buffer.size());
        if (got <= 0) {
            break;
        }
        all.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return all;
}

bool shows(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

termios settings_of(int fd) {
    termios settings{};
    REQUIRE(::tcgetattr(fd, &settings) == 0);
    return settings;
}

bool is_raw(int fd) {
    return (settings_of(fd).c_lflag & (ICANON | ECHO | ISIG)) == 0;
}

bool same_settings(const termios& a, const termios& b) {
    return a.c_iflag == b.c_iflag && a.c_oflag == b.c_oflag && a.c_cflag == b.c_cflag &&
           a.c_lflag == b.c_lflag;
}

void wait_until(const std::function<bool()>& condition) {
    for (int i = 0; i < 6000 && !condition(); ++i) {
        ::usleep(10000);
    }
    CHECK(condition());
}

// A relay in a process of its own, with `caller` as its terminal. It exits as the guest's process
// did, or with 90.
base::PidRef start_relay(Pty& caller, const char* script, bool forward = true) {
    auto relay = start([&] {
        Pty guest;
        const base::PidRef process = start_on(guest, script);
        const isolation::RelayOptions options{
            .in = caller.slave.get(), .out = caller.slave.get(), .forward_signals = forward};
        const auto result = isolation::relay_terminal(process, std::move(guest.master), options);
        return result ? result.value().shell_code() : 90;
    });
    return relay;
}

void type(const Pty& caller, const std::string& text) {
    REQUIRE(base::write_all(caller.master.get(), text, "caller's terminal").has_value());
}

}  // namespace

TEST_CASE(
    "what is typed reaches the process, and its output the caller; the terminal is raw meanwhile") {
    Pty caller;
    const termios before = settings_of(caller.slave.get());
    const auto relay = start_relay(caller, "echo ready; read line; echo got $line; exit 7");
    CHECK(shows(read_until(caller.master.get(), "ready"), "ready"));
    CHECK(is_raw(caller.slave.get()));
    type(caller, "hello\r");
    CHECK(shows(read_until(caller.master.get(), "got hello"), "got hello"));
    CHECK(base::reap(relay).value() == base::ExitStatus{.value = 7});
    CHECK(same_settings(before, settings_of(caller.slave.get())));
}

TEST_CASE("control-C is a byte for the guest's terminal, which makes the signal there") {
    Pty caller;
    const auto relay = start_relay(
        caller, "trap 'echo caught; exit 3' INT; echo ready; while :; do sleep 1; done");
    (void)read_until(caller.master.get(), "ready");
    type(caller, "\x03");
    CHECK(shows(read_until(caller.master.get(), "caught"), "caught"));
    CHECK(base::reap(relay).value().value == 3);
}

TEST_CASE("signals to the caller go to the process") {
    Pty caller;
    const termios before = settings_of(caller.slave.get());
    const auto relay = start_relay(
        caller, "trap 'echo term; exit 4' TERM; echo ready; while :; do sleep 0.1; done");
    (void)read_until(caller.master.get(), "ready");
    REQUIRE(relay.signal(SIGTERM).has_value());
    CHECK(base::reap(relay).value().value == 4);
    CHECK(same_settings(before, settings_of(caller.slave.get())));
}

TEST_CASE("without forwarding a signal ends the caller, with its terminal restored") {
    for (const int signal : {SIGTERM, SIGHUP, SIGINT, SIGQUIT}) {
        Pty caller;
        const termios before = settings_of(caller.slave.get());
        const auto relay = start_relay(caller, "echo ready; read line", false);
        (void)read_until(caller.master.get(), "ready");
        wait_until([&] { return is_raw(caller.slave.get()); });
        REQUIRE(relay.signal(signal).has_value());
        const auto ended = base::reap(relay).value();
        CHECK(ended.signaled);
        CHECK(ended.value == signal);
        CHECK(same_settings(before, settings_of(caller.slave.get())));
    }
}

TEST_CASE("a stopped caller leaves its terminal usable and comes back raw") {
    Pty caller;
    const auto relay = start_relay(caller, "echo ready; read line; echo got $line");
    (void)read_until(caller.master.get(), "ready");
    REQUIRE(relay.signal(SIGTSTP).has_value());
    siginfo_t info{};
    REQUIRE(::waitid(P_PID, static_cast<id_t>(relay.pid()), &info, WSTOPPED) == 0);
    CHECK(!is_raw(caller.slave.get()));
    REQUIRE(relay.signal(SIGCONT).has_value());
    wait_until([&] { return is_raw(caller.slave.get()); });
    type(caller, "again\r");
    CHECK(shows(read_until(caller.master.get(), "got again"), "got again"));
    CHECK(base::reap(relay).value().value == 0);
}

TEST_CASE("the size follows the caller's terminal") {
    Pty caller;
    const winsize first{.ws_row = 33, .ws_col = 77, .ws_xpixel = 0, .ws_ypixel = 0};
    REQUIRE(::ioctl(caller.master.get(), TIOCSWINSZ, &first) == 0);
    const auto relay = start_relay(
        caller, "trap 'stty size; exit' WINCH; stty size; echo ready; while :; do sleep 0.1; done");
    CHECK(shows(read_until(caller.master.get(), "ready"), "33 77"));
    const winsize second{.ws_row = 44, .ws_col = 88, .ws_xpixel = 0, .ws_ypixel = 0};
    REQUIRE(::ioctl(caller.master.get(), TIOCSWINSZ, &second) == 0);
    // The caller has no controlling terminal here, so nobody else tells it.
    REQUIRE(relay.signal(SIGWINCH).has_value());
    CHECK(shows(read_until(caller.master.get(), "44 88"), "44 88"));
    CHECK(base::reap(relay).has_value());
    CHECK(isolation::window_size(caller.slave.get()) ==
          isolation::WindowSize{.rows = 44, .columns = 88});
    CHECK(isolation::window_size(-1) == std::nullopt);
}

TEST_CASE("no input is an end of file, also after half a line") {
    for (const char* input : {"", "half a line", "a line\n"}) {
        Pty guest;
        const auto process = start_on(guest, "stty -echo; cat; echo done");
        Pipe in;
        Pipe out;
        // Not before the terminal stopped to echo.
        wait_until([&] { return (settings_of(guest.master.get()).c_lflag & ECHO) == 0; });
        REQUIRE(base::write_all(in.write.get(), input, "pipe").has_value());
        in.write.reset();
        const auto result = isolation::relay_terminal(
            process, std::move(guest.master), {.in = in.read.get(), .out = out.write.get()});
        REQUIRE(result.has_value());
        CHECK(result.value().value == 0);
        out.write.reset();
        const auto text = base::read_all(out.read.get(), 4096, "pipe").value();
        CHECK(shows(text, "done"));
        CHECK(shows(text, std::string(input).substr(0, 4)));
    }
}

TEST_CASE("an init may close its console and open it again") {
    Pty caller;
    const auto relay = start_relay(caller,
                                   "t=$(tty); trap '' HUP; exec </dev/null >/dev/null 2>&1; sleep "
                                   "0.3; exec >$t; echo back; read x <$t; echo got $x");
    CHECK(shows(read_until(caller.master.get(), "back"), "back"));
    type(caller, "more\r");
    CHECK(shows(read_until(caller.master.get(), "got more"), "got more"));
    CHECK(base::reap(relay).value().value == 0);
}

TEST_CASE("everything written before the end is passed on, however much") {
    Pty guest;
    const auto process = start_on(guest, "stty raw; seq 1 20000");
    Pipe out;
    const auto reader = start([&] {
        out.write.reset();
        return shows(base::read_all(out.read.get(), 1U << 20, "pipe").value(), "\n19999\n20000\n")
                   ? 0
                   : 1;
    });
    const auto result = isolation::relay_terminal(
        process, std::move(guest.master), {.in = -1, .out = out.write.get()});
    out.write.reset();
    CHECK(result.has_value());
    CHECK(base::reap(reader).value().value == 0);
}

TEST_CASE("a descendant that keeps the terminal does not keep the caller") {
    Pty guest;
    Pipe alive;
    const auto process = start_on(guest, "trap '' HUP; sleep 1000 & echo $!; exit 5");
    Pipe out;
    const auto result = isolation::relay_terminal(
        process, std::move(guest.master), {.in = -1, .out = out.write.get()});
    REQUIRE(result.has_value());
    CHECK(result.value().value == 5);
    out.write.reset();
    const auto pid = std::stoi(base::read_all(out.read.get(), 4096, "pipe").value());
    CHECK(::kill(pid, SIGKILL) == 0);
}

TEST_CASE("when nobody reads the caller's output, the guest's terminal hangs up") {
    Pty guest;
    const auto process = start_on(guest, "while :; do echo more; sleep 0.01; done");
    Pipe out;
    out.read.reset();
    const auto result = isolation::relay_terminal(
        process, std::move(guest.master), {.in = -1, .out = out.write.get()});
    REQUIRE(result.has_value());
    CHECK(result.value() == base::ExitStatus{.signaled = true, .value = SIGHUP});
}

namespace {

struct PipeGuest {
    Pipe in;
    Pipe out;
    Pipe err;

    base::PidRef run(const char* script) {
        auto process = start(
            [&] { return become(script, in.read.get(), out.write.get(), err.write.get(), false); });
        in.read.reset();
        out.write.reset();
        err.write.reset();
        return process;
    }

    isolation::Pipes pipes() {
        return {.to_in = std::move(in.write),
                .from_out = std::move(out.read),
                .from_err = std::move(err.read)};
    }
};

}  // namespace

TEST_CASE("pipes carry input, output and errors apart, and the exit code") {
    PipeGuest guest;
    const auto process = guest.run("cat; echo oops >&2; exit 9");
    Pipe in;
    Pipe out;
    Pipe err;
    REQUIRE(base::write_all(in.write.get(), "some text", "pipe").has_value());
    in.write.reset();
    const auto result = isolation::relay_pipes(
        process, guest.pipes(), in.read.get(), out.write.get(), err.write.get(), true);
    REQUIRE(result.has_value());
    CHECK(result.value() == base::ExitStatus{.value = 9});
    out.write.reset();
    err.write.reset();
    CHECK(base::read_all(out.read.get(), 4096, "pipe").value() == "some text");
    CHECK(base::read_all(err.read.get(), 4096, "pipe").value() == "oops\n");
}

TEST_CASE("more than pipes hold, both ways at once") {
    Pipe in;
    Pipe out;
    const std::string text(1U << 20, 'x');
    const auto writer = start([&] {
        in.read.reset();
        return base::write_all(in.write.get(), text, "pipe") ? 0 : 1;
    });
    in.write.reset();
    const auto reader = start([&] {
        out.write.reset();
        return base::read_all(out.read.get(), 2U << 20, "pipe").value() == text ? 0 : 1;
    });
    // Last, so that neither of the two holds its pipes open.
    PipeGuest guest;
    const auto process = guest.run("cat");
    const auto result =
        isolation::relay_pipes(process, guest.pipes(), in.read.get(), out.write.get(), 2, true);
    out.write.reset();
    CHECK(result.has_value());
    CHECK(base::reap(writer).value().value == 0);
    CHECK(base::reap(reader).value().value == 0);
}

TEST_CASE("no input closes the process's") {
    PipeGuest guest;
    const auto process = guest.run("cat; exit 6");
    const auto result = isolation::relay_pipes(process, guest.pipes(), -1, 1, 2, true);
    REQUIRE(result.has_value());
    CHECK(result.value().value == 6);
}

TEST_CASE("a process that does not read its input ends all the same") {
    PipeGuest guest;
    const auto process = guest.run("exec <&-; exit 8");
    Pipe in;
    REQUIRE(base::write_all(in.write.get(), std::string(60000, 'y'), "pipe").has_value());
    const auto result = isolation::relay_pipes(process, guest.pipes(), in.read.get(), 1, 2, true);
    REQUIRE(result.has_value());
    CHECK(result.value().value == 8);
}

TEST_CASE("a process whose reader is gone gets its own SIGPIPE, and the caller none") {
    PipeGuest guest;
    const auto process = guest.run("while :; do echo line; done");
    Pipe out;
    out.read.reset();
    const auto result =
        isolation::relay_pipes(process, guest.pipes(), -1, out.write.get(), 2, true);
    REQUIRE(result.has_value());
    CHECK(result.value() == base::ExitStatus{.signaled = true, .value = SIGPIPE});
}

TEST_CASE("a descendant that keeps the pipe does not keep the caller") {
    PipeGuest guest;
    const auto process = guest.run("sleep 1000 & echo $!; exit 2");
    Pipe out;
    const auto result =
        isolation::relay_pipes(process, guest.pipes(), -1, out.write.get(), 2, true);
    REQUIRE(result.has_value());
    CHECK(result.value().value == 2);
    out.write.reset();
    const auto pid = std::stoi(base::read_all(out.read.get(), 4096, "pipe").value());
    CHECK(::kill(pid, SIGKILL) == 0);
}

TEST_CASE("the caller's descriptors and signal mask stay as they were") {
    PipeGuest guest;
    sigset_t before;
    sigset_t after;
    REQUIRE(::sigprocmask(SIG_SETMASK, nullptr, &before) == 0);
    const auto process = guest.run("cat");
    Pipe in;
    Pipe out;
    in.write.reset();
    const int in_flags = ::fcntl(in.read.get(), F_GETFL);
    const int out_flags = ::fcntl(out.write.get(), F_GETFL);
    REQUIRE(isolation::relay_pipes(process, guest.pipes(), in.read.get(), out.write.get(), 2, true)
                .has_value());
    CHECK(::fcntl(in.read.get(), F_GETFL) == in_flags);
    CHECK(::fcntl(out.write.get(), F_GETFL) == out_flags);
    REQUIRE(::sigprocmask(SIG_SETMASK, nullptr, &after) == 0);
    for (int signal = 1; signal < NSIG; ++signal) {
        CHECK(::sigismember(&before, signal) == ::sigismember(&after, signal));
    }
}

TEST_CASE("waiting for a process with descriptors of its own forwards signals") {
    Pipe ready;
    const auto waiter = start([&] {
        const auto process = start([&] {
            return become("trap 'exit 11' USR1; echo ready; while :; do sleep 0.1; done",
                          0,
                          ready.write.get(),
                          2,
                          false);
        });
        const auto result = isolation::wait_forwarding(process);
        return result ? result.value().shell_code() : 90;
    });
    (void)read_until(ready.read.get(), "ready");
    wait_until([&] {
        const auto status =
            base::read_file_at(AT_FDCWD, "/proc/" + std::to_string(waiter.pid()) + "/status")
                .value();
        const auto at = status.find("SigBlk:");
        return (std::stoull(status.substr(at + 7), nullptr, 16) >> (SIGUSR1 - 1) & 1U) != 0;
    });
    REQUIRE(waiter.signal(SIGUSR1).has_value());
    CHECK(base::reap(waiter).value().value == 11);
}
