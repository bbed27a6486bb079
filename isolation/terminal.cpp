#include "isolation/terminal.hpp"

#include <array>
#include <utility>
#include <vector>

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "isolation/terminal_relay.hpp"

namespace warren::isolation {

namespace {

constexpr std::array kEnding = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};

// Raw mode on the caller's terminal while the object lives. Nothing when the descriptor is no
// terminal.
class RawTerminal {
public:
    explicit RawTerminal(int fd) : fd_(fd) {}

    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;
    RawTerminal(RawTerminal&&) = delete;
    RawTerminal& operator=(RawTerminal&&) = delete;

    ~RawTerminal() { leave(); }

    // Again while raw: for when somebody else changed the terminal.
    void enter() {
        if (fd_ < 0 || (!raw_ && ::tcgetattr(fd_, &saved_) != 0)) {
            return;
        }
        termios raw = saved_;
        ::cfmakeraw(&raw);
        raw_ = ::tcsetattr(fd_, TCSANOW, &raw) == 0;
    }

    void leave() {
        if (!std::exchange(raw_, false)) {
            return;
        }
        // In the background tcsetattr(3) would otherwise stop us for good.
        sigset_t output;
        sigset_t previous;
        (void)::sigemptyset(&output);
        (void)::sigaddset(&output, SIGTTOU);
        (void)::pthread_sigmask(SIG_BLOCK, &output, &previous);
        (void)::tcsetattr(fd_, TCSANOW, &saved_);
        (void)::pthread_sigmask(SIG_SETMASK, &previous, nullptr);
    }

private:
    int fd_;
    termios saved_{};
    bool raw_ = false;
};

std::vector<int> signals_to_catch(bool terminal, bool forward) {
    std::vector<int> signals(kEnding.begin(), kEnding.end());
    if (forward) {
        signals.insert(signals.end(), {SIGUSR1, SIGUSR2});
    }
    if (terminal) {
        signals.insert(signals.end(), {SIGWINCH, SIGTSTP, SIGCONT});
    }
    return signals;
}

// What a signal that the caller was sent means to the relay.
class SignalRule {
public:
    SignalRule(const base::PidRef& process, bool forward) : process_(process), forward_(forward) {}

    base::Result<bool> operator()(int signal) {
        if (forward_) {
            TRY(process_.signal(signal));
            return true;
        }
        ended_by_ = signal;
        return false;
    }

    // Without forwarding the signal is the caller's own: it comes again when everything is as it
    // was.
    [[nodiscard]] base::Result<base::ExitStatus> finish(base::Result<bool> completed) const {
        if (!TRY(std::move(completed))) {
            (void)::raise(ended_by_);
            return base::fail("wait for process " + std::to_string(process_.pid()) +
                              ": interrupted by signal " + std::to_string(ended_by_));
        }
        return base::reap(process_);
    }

private:
    const base::PidRef& process_;
    bool forward_;
    int ended_by_ = 0;
};

void resize(int master, int in, int out) {
    auto size = window_size(out);
    if (!size) {
        size = window_size(in);
    }
    if (size) {
        const winsize value{
            .ws_row = size->rows, .ws_col = size->columns, .ws_xpixel = 0, .ws_ypixel = 0};
        (void)::ioctl(master, TIOCSWINSZ, &value);
    }
}

base::Result<std::vector<RelayChannel>> terminal_channels(const base::Fd& master,
                                                          const RelayOptions& options) {
    std::vector<RelayChannel> channels;
    channels.push_back({.from = RelaySource::borrow(options.in),
                        .to = TRY(RelaySink::take(TRY(master.duplicate()))),
                        .into_process = true});
    channels.push_back({.from = TRY(RelaySource::take(TRY(master.duplicate()))),
                        .to = RelaySink::borrow(options.out)});
    return channels;
}

}  // namespace

std::optional<WindowSize> window_size(int fd) {
    winsize value{};
    if (fd < 0 || ::ioctl(fd, TIOCGWINSZ, &value) != 0) {
        return std::nullopt;
    }
    WindowSize size;
    // A serial line knows no size and says 0.
    if (value.ws_row != 0 && value.ws_col != 0) {
        size = {.rows = value.ws_row, .columns = value.ws_col};
    }
    return size;
}

base::Result<base::ExitStatus> relay_terminal(const base::PidRef& process,
                                              base::Fd master,
                                              const RelayOptions& options) {
    const auto caught =
        TRY(CaughtSignals::catch_these(signals_to_catch(true, options.forward_signals)));
    SignalRule rule(process, options.forward_signals);
    auto channels = TRY(terminal_channels(master, options));
    base::Result<bool> completed = true;
    {
        RawTerminal raw(options.in);
        raw.enter();
        resize(master.get(), options.in, options.out);
        RelayRules rules;
        rules.hang_up = [&master] { master.reset(); };
        rules.on_signal = [&](int signal) -> base::Result<bool> {
            if (signal != SIGTSTP && signal != SIGCONT && signal != SIGWINCH) {
                return rule(signal);
            }
            if (signal == SIGTSTP) {
                raw.leave();
                (void)::raise(SIGSTOP);
            }
            if (signal != SIGWINCH) {
                raw.enter();
            }
            resize(master.get(), options.in, options.out);
            return true;
        };
        completed = run_relay(process, caught, std::move(channels), rules);
    }
    return rule.finish(std::move(completed));
}

base::Result<base::ExitStatus> relay_pipes(
    const base::PidRef& process, Pipes pipes, int in, int out, int err, bool forward_signals) {
    const auto caught = TRY(CaughtSignals::catch_these(signals_to_catch(false, forward_signals)));
    SignalRule rule(process, forward_signals);
    std::vector<RelayChannel> channels;
    if (pipes.to_in && in >= 0) {
        channels.push_back({.from = RelaySource::borrow(in),
                            .to = TRY(RelaySink::take(std::move(pipes.to_in))),
                            .into_process = true});
    }
    pipes.to_in.reset();
    if (pipes.from_out) {
        channels.push_back({.from = TRY(RelaySource::take(std::move(pipes.from_out))),
                            .to = RelaySink::borrow(out)});
    }
    if (pipes.from_err) {
        channels.push_back({.from = TRY(RelaySource::take(std::move(pipes.from_err))),
                            .to = RelaySink::borrow(err)});
    }
    RelayRules rules;
    rules.on_signal = [&rule](int signal) { return rule(signal); };
    return rule.finish(run_relay(process, caught, std::move(channels), rules));
}

base::Result<base::ExitStatus> wait_forwarding(const base::PidRef& process) {
    const auto caught = TRY(CaughtSignals::catch_these(signals_to_catch(false, true)));
    SignalRule rule(process, true);
    RelayRules rules;
    rules.on_signal = [&rule](int signal) { return rule(signal); };
    return rule.finish(run_relay(process, caught, {}, rules));
}

}  // namespace warren::isolation
