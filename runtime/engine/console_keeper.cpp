#include "runtime/engine/console_keeper.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <unordered_map>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/lock.hpp"
#include "base/scope_exit.hpp"
#include "base/socket.hpp"
#include "runtime/engine/guest_log.hpp"

namespace warren::engine {

namespace {

constexpr const char* kSocket = "console.sock";
constexpr const char* kLock = "console.lock";
constexpr std::string_view kWithMaster = "master";
constexpr std::string_view kLogOnly = "log";
constexpr int kTrimIntervalMillis = 2000;

struct Console {
    base::Fd master;
    // Held so that the terminal does not hang up while no process of the guest has it open.
    base::Fd slave;
    base::Fd log;
    base::Fd pidfd;
};

// The keeper's loop, in its own process. epoll(7): what a wake costs does not depend on how many guests there are.
class Keeper {
public:
    Keeper(base::Fd run_dir, base::Fd listener)
        : run_dir_(std::move(run_dir)),
          listener_(std::move(listener)),
          watched_(::epoll_create1(EPOLL_CLOEXEC)) {}

    void run() {
        if (!watched_ || !watch(listener_.get(), kListener)) {
            return;
        }
        auto swept = Clock::now();
        for (;;) {
            std::array<epoll_event, 64> events{};
            const int ready =
                ::epoll_wait(watched_.get(), events.data(), events.size(), kTrimIntervalMillis);
            for (int i = 0; i < ready; ++i) {
                serve(events.at(static_cast<std::size_t>(i)).data.u64);
            }
            if (Clock::now() - swept >= std::chrono::milliseconds(kTrimIntervalMillis)) {
                for (const auto& [id, console] : consoles_) {
                    trim_log_file(console.log.get());
                }
                swept = Clock::now();
            }
            if (consoles_.empty() && greeted_ && end()) {
                return;
            }
        }
    }

private:
    using Clock = std::chrono::steady_clock;

    // What an event is of: the listener, or 2 * console for its process and 2 * console + 1 for its master.
    static constexpr std::uint64_t kListener = 0;

    [[nodiscard]] bool watch(int fd, std::uint64_t key) const {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = key;
        return ::epoll_ctl(watched_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
    }

    void serve(std::uint64_t key) {
        if (key == kListener) {
            take_in();
            return;
        }
        const auto found = consoles_.find(key / 2);
        if (found == consoles_.end()) {
            return;  // its end came with the same wake
        }
        Console& console = found->second;
        if (key % 2 != 0) {
            copy_out(console, 1);
            return;
        }
        if (console.master) {
            copy_out(console, 64);
        }
        trim_log_file(console.log.get());
        // Closing takes a descriptor out of the set only when nobody else has the file open.
        (void)::epoll_ctl(watched_.get(), EPOLL_CTL_DEL, console.pidfd.get(), nullptr);
        if (console.master) {
            (void)::epoll_ctl(watched_.get(), EPOLL_CTL_DEL, console.master.get(), nullptr);
        }
        consoles_.erase(found);
    }

    // At most `rounds` blocks, so that a guest that prints without end does not starve the others.
    static void copy_out(Console& console, int rounds) {
        std::array<char, 16384> block{};
        for (int i = 0; i < rounds; ++i) {
            const ssize_t got = ::read(console.master.get(), block.data(), block.size());
            if (got <= 0) {
                return;
            }
            (void)base::write_all(console.log.get(),
                                  std::string_view(block.data(), static_cast<std::size_t>(got)),
                                  "log");
            trim_log_file(console.log.get());
        }
    }

    void take_in() {
        auto connection = base::accept_connection(listener_.get());
        if (!connection) {
            return;
        }
        const auto peer = base::peer_credentials(connection.value().get());
        if (!peer || peer.value().uid != ::geteuid()) {
            return;
        }
        auto received = base::receive_message(connection.value().get(), 64, 3);
        if (!received || !received.value()) {
            return;
        }
        greeted_ = true;
        auto& message = *received.value();
        Console console;
        if (message.bytes == kWithMaster && message.fds.size() == 3) {
            console.master = std::move(message.fds[2]);
            console.slave =
                base::Fd(::ioctl(console.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
            (void)::fcntl(console.master.get(), F_SETFL, O_RDWR | O_NONBLOCK);
        } else if (message.bytes != kLogOnly || message.fds.size() != 2) {
            return;
        }
        console.log = std::move(message.fds[0]);
        console.pidfd = std::move(message.fds[1]);
        const std::uint64_t id = next_id_++;
        if (!watch(console.pidfd.get(), 2 * id) ||
            (console.master && !watch(console.master.get(), 2 * id + 1))) {
            return;
        }
        consoles_.emplace(id, std::move(console));
        (void)base::send_message(connection.value().get(), "kept");
    }

    // True when the keeper may go: nobody is handing over this moment.
    [[nodiscard]] bool end() const {
        const auto lock = base::FileLock::acquire(
            run_dir_.get(), kLock, base::LockMode::Exclusive, std::chrono::milliseconds{0});
        if (!lock) {
            // Somebody hands over; any other failure is a run directory that is gone, and nobody can come any more.
            return lock.error().kind() != base::ErrorKind::Busy;
        }
        (void)base::remove_file_at(run_dir_.get(), kSocket);
        (void)base::remove_file_at(run_dir_.get(), kLock);
        return true;
    }

    base::Fd run_dir_;
    base::Fd listener_;
    base::Fd watched_;
    std::unordered_map<std::uint64_t, Console> consoles_;
    std::uint64_t next_id_ = 1;
    bool greeted_ = false;
};

// What a daemon must not keep of its maker: descriptors, terminal, working directory, signal mask.
void detach_from_caller(int run_dir, int listener) {
    (void)::setsid();
    (void)::prctl(PR_SET_NAME, "warren-console");
    if (::chdir("/") != 0) {
        ::_exit(1);
    }
    sigset_t none;
    (void)::sigemptyset(&none);
    (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
    (void)::signal(SIGHUP, SIG_IGN);
    (void)::signal(SIGPIPE, SIG_IGN);
    (void)::signal(SIGINT, SIG_DFL);
    (void)::signal(SIGTERM, SIG_DFL);
    const int null_fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd <= 2; ++fd) {
        (void)::dup2(null_fd, fd);
    }
    for (int fd = 3, last = static_cast<int>(::sysconf(_SC_OPEN_MAX)); fd < last; ++fd) {
        if (fd == run_dir || fd == listener) {
            continue;
        }
        // Above the highest descriptor in use close_range(2) ends the walk at once.
        const int high = run_dir > listener ? run_dir : listener;
        if (fd > high) {
            (void)::close_range(static_cast<unsigned>(fd), ~0U, 0);
            break;
        }
        (void)::close(fd);
    }
}

// Two forks: the caller reaps the first at once, and the keeper belongs to the host's init.
base::Status spawn_keeper(base::Fd run_dir, base::Fd listener) {
    const pid_t middle = ::fork();
    if (middle < 0) {
        return base::errno_error("start the console keeper");
    }
    if (middle == 0) {
        const pid_t keeper = ::fork();
        if (keeper != 0) {
            ::_exit(keeper < 0 ? 1 : 0);
        }
        detach_from_caller(run_dir.get(), listener.get());
        Keeper(std::move(run_dir), std::move(listener)).run();
        ::_exit(0);
    }
    int status = 0;
    while (::waitpid(middle, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) {
        return base::fail("start the console keeper");
    }
    return base::ok();
}

base::Result<base::Fd> connect_keeper(const base::Fd& run_dir) {
    auto connected = base::connect_at(run_dir.get(), kSocket);
    if (connected) {
        return connected;
    }
    // Absent, or the socket of a keeper that was killed.
    TRY(base::remove_file_at(run_dir.get(), kSocket));
    auto listener = TRY(base::listen_at(run_dir.get(), kSocket));
    TRY(spawn_keeper(TRY(run_dir.duplicate()), std::move(listener)));
    return base::connect_at(run_dir.get(), kSocket);
}

}  // namespace

base::Status keep_console(const Context& context,
                          const base::Name& name,
                          base::Fd master,
                          base::Fd log,
                          const base::PidRef& process) {
    const base::Fd run_dir = TRY(context.store.run_dir());
    const auto lock = TRY(base::FileLock::acquire(
        run_dir.get(), kLock, base::LockMode::Exclusive, std::chrono::milliseconds{10'000}));
    const base::Fd connection = TRY(connect_keeper(run_dir));
    std::vector<int> fds{log.get(), process.pidfd()};
    if (master) {
        fds.push_back(master.get());
    }
    TRY(base::with_context(
        base::send_message(connection.get(), master ? kWithMaster : kLogOnly, fds),
        "hand console of " + name.str() + " over"));
    // Answered, so the keeper has it before this end is closed.
    pollfd answer{connection.get(), POLLIN, 0};
    if (::poll(&answer, 1, 5000) <= 0) {
        return base::fail("hand console of " + name.str() + " over: no answer");
    }
    return base::ok();
}

void await_console_keeper_end(const Context& context) {
    for (int i = 0; i < 400; ++i) {
        const auto there = base::exists_at(AT_FDCWD, context.paths.store.run + "/" + kSocket);
        if (!there || !there.value()) {
            return;
        }
        // The socket of a killed keeper has nobody behind it.
        const auto run_dir = base::open_dir(AT_FDCWD, context.paths.store.run);
        if (run_dir && !base::connect_at(run_dir.value().get(), kSocket)) {
            (void)base::remove_file_at(run_dir.value().get(), kSocket);
            (void)base::remove_file_at(run_dir.value().get(), kLock);
            return;
        }
        (void)::poll(nullptr, 0, 5);
    }
}

}  // namespace warren::engine
