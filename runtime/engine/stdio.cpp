#include "runtime/engine/stdio.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace warren::engine {

namespace {

struct Pipe {
    base::Fd read_end;
    base::Fd write_end;
};

base::Result<Pipe> make_pipe() {
    int fds[2] = {-1, -1};
    if (::pipe2(fds, O_CLOEXEC) != 0) {
        return base::errno_error("make pipe");
    }
    return Pipe{base::Fd(fds[0]), base::Fd(fds[1])};
}

}  // namespace

base::Result<AttachedStdio> AttachedStdio::open(const StdioRequest& request) {
    AttachedStdio stdio;
    stdio.terminal_ = request.terminal;
    stdio.interactive_ = request.interactive;
    if (request.terminal) {
        return stdio;
    }
    stdio.guest_ = {0, 1, 2};
    if (!request.interactive) {
        stdio.owned_.push_back(TRY(base::open_at(AT_FDCWD, "/dev/null", O_RDONLY)));
        stdio.guest_.in = stdio.owned_.back().get();
    }
    const bool tty_in = request.interactive && ::isatty(0) == 1;
    stdio.piped_ = tty_in || ::isatty(1) == 1 || ::isatty(2) == 1;
    if (!stdio.piped_) {
        return stdio;
    }
    auto out = TRY(make_pipe());
    auto err = TRY(make_pipe());
    stdio.guest_.out = out.write_end.get();
    stdio.guest_.err = err.write_end.get();
    stdio.pipes_.from_out = std::move(out.read_end);
    stdio.pipes_.from_err = std::move(err.read_end);
    stdio.owned_.push_back(std::move(out.write_end));
    stdio.owned_.push_back(std::move(err.write_end));
    if (request.interactive) {
        auto in = TRY(make_pipe());
        stdio.guest_.in = in.read_end.get();
        stdio.pipes_.to_in = std::move(in.write_end);
        stdio.owned_.push_back(std::move(in.read_end));
    }
    return stdio;
}

isolation::WindowSize AttachedStdio::window() const {
    for (int fd = 0; fd <= 2; ++fd) {
        if (const auto size = isolation::window_size(fd)) {
            return *size;
        }
    }
    return {};
}

base::Result<base::ExitStatus> AttachedStdio::relay(isolation::Launched& launched) {
    owned_.clear();
    if (terminal_) {
        isolation::RelayOptions options;
        options.in = interactive_ ? 0 : -1;
        return isolation::relay_terminal(
            launched.process, std::move(launched.terminal_master), options);
    }
    if (piped_) {
        return isolation::relay_pipes(launched.process, std::move(pipes_), 0, 1, 2, true);
    }
    return isolation::wait_forwarding(launched.process);
}

}  // namespace warren::engine
