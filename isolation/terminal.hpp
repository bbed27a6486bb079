// The caller's side of a pty: raw mode, relay, resize. termios(3), pty(7), signalfd(2).
#pragma once

#include <csignal>
#include <optional>
#include <string>

#include "base/fd.hpp"
#include "base/pidref.hpp"
#include "base/result.hpp"
#include "isolation/types.hpp"

namespace warren::isolation {

// The size of the terminal behind `fd`; nullopt when it is none.
[[nodiscard]] std::optional<WindowSize> window_size(int fd);

// Connects the caller's stdin/stdout/stderr with a process until it exits, and returns how it
// ended. Terminal: raw mode on the caller's terminal, restored on every way out (return, error,
// SIGTERM/SIGHUP/SIGINT of the caller); SIGWINCH resizes. The caller's process must have one
// thread.
struct RelayOptions {
    int in = 0;  // -1: no input (sends EOF at once)
    int out = 1;
    bool forward_signals = true;  // SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1/2 to the process
};

[[nodiscard]] base::Result<base::ExitStatus> relay_terminal(const base::PidRef& process,
                                                            base::Fd master,
                                                            const RelayOptions& options);

// The same through pipes, when no terminal was asked for: `to_in` feeds the process's stdin,
// `from_out` and `from_err` are its outputs (invalid ones are skipped). Never gives the guest the
// caller's own terminal.
struct Pipes {
    base::Fd to_in;
    base::Fd from_out;
    base::Fd from_err;
};

[[nodiscard]] base::Result<base::ExitStatus> relay_pipes(
    const base::PidRef& process, Pipes pipes, int in, int out, int err, bool forward_signals);
// Waits for a process that has the descriptors themselves, forwarding signals.
[[nodiscard]] base::Result<base::ExitStatus> wait_forwarding(const base::PidRef& process);

}  // namespace warren::isolation
