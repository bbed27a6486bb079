#include "isolation/terminal_relay.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

namespace warren::isolation {

namespace {

constexpr std::size_t kBufferSize = 65536;

// What may still be passed on once the process has ended: the largest pipe that the kernel gives to
// users. It ends the wait for a descendant that writes without pause.
constexpr std::size_t kDrainLimit = 1U << 20;

base::Status make_non_blocking(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        return base::errno_error("make a relay's descriptor non-blocking");
    }
    return base::ok();
}

bool is_pty_master(int fd) {
    unsigned number = 0;
    return ::ioctl(fd, TIOCGPTN, &number) == 0;
}

bool has_pending(const RelayChannel& channel) {
    return channel.begin < channel.buffer.size();
}

bool ends_the_caller(int signal) {
    return signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
}

class Relay {
public:
    Relay(const base::PidRef& process,
          const CaughtSignals& signals,
          std::vector<RelayChannel>& channels,
          const RelayRules& rules)
        : process_(process), signals_(signals), channels_(channels), rules_(rules) {}

    base::Result<bool> run();

private:
    enum class Why : unsigned char { Exit, Signal, Input, Output };

    // What an entry of the poll set stands for.
    struct Place {
        Why why;
        std::size_t channel = 0;
    };

    void collect();
    void watch(int fd, short events, Place place);
    base::Result<bool> take_signals();
    base::Result<bool> handle(Place place);
    base::Status fill(RelayChannel& channel);
    void flush(RelayChannel& channel);
    void end_input(RelayChannel& channel);
    void pass_end_on(RelayChannel& channel);
    void lose_output(RelayChannel& channel);
    base::Status drain();
    [[nodiscard]] bool is_hung_up() const;
    [[nodiscard]] bool is_drained() const;

    const base::PidRef& process_;
    const CaughtSignals& signals_;
    std::vector<RelayChannel>& channels_;
    const RelayRules& rules_;
    std::vector<pollfd> polled_;
    std::vector<Place> places_;
    bool exited_ = false;
    std::size_t drained_ = 0;
};

void Relay::watch(int fd, short events, Place place) {
    polled_.push_back({.fd = fd, .events = events, .revents = 0});
    places_.push_back(place);
}

bool Relay::is_hung_up() const {
    return std::any_of(channels_.begin(), channels_.end(), [](const RelayChannel& channel) {
        return channel.from.hung_up();
    });
}

void Relay::collect() {
    polled_.clear();
    places_.clear();
    watch(signals_.fd(), POLLIN, {.why = Why::Signal});
    if (!exited_) {
        watch(process_.pidfd(), POLLIN, {.why = Why::Exit});
    }
    const bool hung_up = is_hung_up();
    for (std::size_t i = 0; i < channels_.size(); ++i) {
        const RelayChannel& channel = channels_[i];
        if (has_pending(channel)) {
            // A pty without a user and with a full buffer says POLLHUP without end; its next user
            // wakes us.
            if (!channel.into_process || !hung_up) {
                watch(channel.to.fd(), POLLOUT, {.why = Why::Output, .channel = i});
            }
        } else if (channel.from.is_open()) {
            watch(channel.from.poll_fd(), POLLIN, {.why = Why::Input, .channel = i});
        }
    }
}

base::Result<bool> Relay::take_signals() {
    while (const auto signal = signals_.next()) {
        if (exited_ && ends_the_caller(*signal)) {
            return false;  // somebody is tired of waiting for the last output to be read
        }
        if (!TRY(rules_.on_signal(*signal))) {
            return false;
        }
    }
    return true;
}

void Relay::end_input(RelayChannel& channel) {
    channel.from.close();
    if (channel.into_process && !has_pending(channel)) {
        pass_end_on(channel);
    }
}

void Relay::pass_end_on(RelayChannel& channel) {
    if (std::exchange(channel.end_passed_on, true)) {
        return;
    }
    if (!rules_.hang_up) {
        channel.to.close();
        return;
    }
    termios settings{};
    if (::tcgetattr(channel.to.fd(), &settings) != 0 || (settings.c_lflag & ICANON) == 0) {
        return;  // there is no such character now
    }
    // In the middle of a line the first one only hands over the line.
    channel.buffer.assign(channel.at_line_start ? 1 : 2,
                          static_cast<std::byte>(settings.c_cc[VEOF]));
    channel.begin = 0;
    flush(channel);
}

// Nobody reads what the channel carries. The process learns of it as if it had the descriptors
// itself.
void Relay::lose_output(RelayChannel& channel) {
    const auto stop = [](RelayChannel& stopped) {
        stopped.buffer.clear();
        stopped.begin = 0;
        stopped.from.close();
        stopped.to.close();
    };
    stop(channel);
    if (rules_.hang_up && !channel.into_process) {
        std::for_each(channels_.begin(), channels_.end(), stop);
        rules_.hang_up();
    }
}

void Relay::flush(RelayChannel& channel) {
    while (has_pending(channel)) {
        const auto written = channel.to.write(std::span(channel.buffer).subspan(channel.begin));
        if (!written) {
            lose_output(channel);
            return;
        }
        if (*written == 0) {
            return;
        }
        channel.begin += *written;
    }
}

base::Status Relay::fill(RelayChannel& channel) {
    channel.begin = 0;
    switch (channel.from.read(channel.buffer, kBufferSize)) {
        case RelaySource::Outcome::Data:
            channel.at_line_start = channel.buffer.back() == std::byte{'\n'};
            drained_ += exited_ ? channel.buffer.size() : 0;
            flush(channel);
            break;
        case RelaySource::Outcome::Nothing:
            if (exited_) {
                channel.from.close();
            }
            break;
        case RelaySource::Outcome::HungUp:
            if (rules_.hang_up && !channel.into_process && !exited_) {
                return channel.from.watch();
            }
            end_input(channel);
            break;
        case RelaySource::Outcome::End:
            end_input(channel);
            break;
    }
    return base::ok();
}

// After the end: reads what is there, without waiting for more.
base::Status Relay::drain() {
    for (RelayChannel& channel : channels_) {
        if (channel.into_process) {
            lose_output(channel);
        }
        while (channel.from.is_open() && !has_pending(channel)) {
            if (drained_ >= kDrainLimit) {
                channel.from.close();
                break;
            }
            TRY(fill(channel));
        }
    }
    return base::ok();
}

bool Relay::is_drained() const {
    return std::none_of(channels_.begin(), channels_.end(), [](const RelayChannel& channel) {
        return has_pending(channel) || channel.from.is_open();
    });
}

base::Result<bool> Relay::handle(Place place) {
    if (place.why == Why::Signal) {
        return take_signals();
    }
    if (place.why == Why::Exit) {
        exited_ = true;
        return true;
    }
    RelayChannel& channel = channels_[place.channel];
    if (place.why == Why::Output) {
        flush(channel);
        if (!has_pending(channel) && !channel.from.is_open()) {
            end_input(channel);
        }
    } else if (channel.from.is_open()) {
        TRY(fill(channel));
    }
    return true;
}

base::Result<bool> Relay::run() {
    for (;;) {
        if (exited_) {
            TRY(drain());
            if (is_drained()) {
                return true;
            }
        }
        collect();
        if (::poll(polled_.data(), polled_.size(), -1) < 0) {
            if (errno == EINTR) {
                continue;
            }
            return base::errno_error("wait for the process and its output");
        }
        for (std::size_t i = 0; i < polled_.size(); ++i) {
            if (polled_[i].revents != 0 && !TRY(handle(places_[i]))) {
                return exited_;
            }
        }
    }
}

}  // namespace

base::Result<CaughtSignals> CaughtSignals::catch_these(std::span<const int> signals) {
    sigset_t taken;
    sigset_t previous;
    (void)::sigemptyset(&taken);
    for (const int signal : signals) {
        (void)::sigaddset(&taken, signal);
    }
    base::Fd fd(::signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd) {
        return base::errno_error("open a descriptor for signals");
    }
    (void)::sigaddset(&taken, SIGPIPE);
    if (const int error = ::pthread_sigmask(SIG_BLOCK, &taken, &previous); error != 0) {
        return base::errno_error(error, "block signals");
    }
    return CaughtSignals(std::move(fd), previous);
}

CaughtSignals::CaughtSignals(CaughtSignals&& other) noexcept
    : fd_(std::move(other.fd_)), previous_(other.previous_) {}

CaughtSignals::~CaughtSignals() {
    if (!fd_) {
        return;
    }
    if (::sigismember(&previous_, SIGPIPE) == 0) {
        // Ours, from a write that we have dealt with.
        sigset_t pipe_only;
        (void)::sigemptyset(&pipe_only);
        (void)::sigaddset(&pipe_only, SIGPIPE);
        const timespec at_once{};
        (void)::sigtimedwait(&pipe_only, nullptr, &at_once);
    }
    (void)::pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

std::optional<int> CaughtSignals::next() const {
    signalfd_siginfo info{};
    for (;;) {
        const ssize_t got = ::read(fd_.get(), &info, sizeof info);
        if (got == static_cast<ssize_t>(sizeof info)) {
            return static_cast<int>(info.ssi_signo);
        }
        if (got >= 0 || errno != EINTR) {
            return std::nullopt;
        }
    }
}

RelaySink RelaySink::borrow(int fd) {
    RelaySink sink;
    sink.fd_ = fd;
    sink.most_ = kBufferSize;

    struct stat status {};

    if (fd < 0 || ::fstat(fd, &status) != 0) {
        return sink;
    }
    sink.socket_ = S_ISSOCK(status.st_mode);
    const bool terminal = S_ISCHR(status.st_mode) && ::isatty(fd) == 1;
    if (!terminal && !S_ISFIFO(status.st_mode)) {
        return sink;
    }
    // Opening a master by its name makes another pty.
    if (!is_pty_master(fd)) {
        sink.own_ = base::Fd(
            ::open(base::proc_fd_path(fd).c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    }
    if (sink.own_) {
        sink.fd_ = sink.own_.get();
        return sink;
    }
    // poll(2) promises room for this much: WAKEUP_CHARS of the tty layer, and PIPE_BUF.
    constexpr std::size_t kTerminalRoom = 256;
    sink.careful_ = true;
    sink.most_ = terminal ? kTerminalRoom : std::size_t{PIPE_BUF};
    return sink;
}

base::Result<RelaySink> RelaySink::take(base::Fd fd) {
    TRY(make_non_blocking(fd.get()));
    RelaySink sink;
    sink.fd_ = fd.get();
    sink.own_ = std::move(fd);
    sink.most_ = kBufferSize;
    return sink;
}

std::optional<std::size_t> RelaySink::write(std::span<const std::byte> bytes) const {
    const std::size_t size = std::min(bytes.size(), most_);
    for (;;) {
        if (careful_) {
            pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
            if (::poll(&ready, 1, 0) == 0) {
                return 0;
            }
        }
        const ssize_t written = socket_
                                    ? ::send(fd_, bytes.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL)
                                    : ::write(fd_, bytes.data(), size);
        if (written >= 0) {
            return static_cast<std::size_t>(written);
        }
        if (errno == EAGAIN) {
            return 0;
        }
        if (errno != EINTR) {
            return std::nullopt;
        }
    }
}

void RelaySink::close() {
    own_.reset();
    fd_ = -1;
}

RelaySource RelaySource::borrow(int fd) {
    RelaySource source;
    source.fd_ = fd;
    return source;
}

base::Result<RelaySource> RelaySource::take(base::Fd fd) {
    TRY(make_non_blocking(fd.get()));
    RelaySource source;
    source.fd_ = fd.get();
    source.own_ = std::move(fd);
    return source;
}

RelaySource::Outcome RelaySource::read(std::vector<std::byte>& out, std::size_t limit) {
    if (watch_) {
        epoll_event event{};
        (void)::epoll_wait(watch_.get(), &event, 1, 0);
    }
    out.resize(limit);
    ssize_t got = -1;
    do {
        got = ::read(fd_, out.data(), limit);
    } while (got < 0 && errno == EINTR);
    const int error = got < 0 ? errno : 0;
    out.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (error == EIO) {
        return Outcome::HungUp;
    }
    watch_.reset();
    if (error == EAGAIN) {
        return Outcome::Nothing;
    }
    return got > 0 ? Outcome::Data : Outcome::End;
}

base::Status RelaySource::watch() {
    if (watch_) {
        return base::ok();
    }
    base::Fd watch(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.fd = fd_}};
    if (!watch || ::epoll_ctl(watch.get(), EPOLL_CTL_ADD, fd_, &event) != 0) {
        return base::errno_error("watch a terminal that hung up");
    }
    watch_ = std::move(watch);
    return base::ok();
}

void RelaySource::close() {
    watch_.reset();
    own_.reset();
    fd_ = -1;
}

base::Result<bool> run_relay(const base::PidRef& process,
                             const CaughtSignals& signals,
                             std::vector<RelayChannel> channels,
                             const RelayRules& rules) {
    return Relay(process, signals, channels, rules).run();
}

}  // namespace warren::isolation
