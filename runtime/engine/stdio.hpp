// What a process of a guest gets as standard input, output and error, by what was asked for and what the caller has.
#pragma once

#include <optional>

#include "base/fd.hpp"
#include "base/pidref.hpp"
#include "base/result.hpp"
#include "isolation/launcher.hpp"
#include "isolation/terminal.hpp"
#include "runtime/engine/engine.hpp"

namespace warren::engine {

// The caller's side of an attached process. The guest never gets a terminal of the host: where the caller's
// descriptors are terminals and no pty was asked for, pipes stand between.
class AttachedStdio {
public:
    [[nodiscard]] static base::Result<AttachedStdio> open(const StdioRequest& request);

    [[nodiscard]] bool terminal() const { return terminal_; }

    [[nodiscard]] isolation::StdioFds guest_side() const { return guest_; }

    [[nodiscard]] isolation::WindowSize window() const;
    // After the launch: relays until the process has ended, and reaps it.
    [[nodiscard]] base::Result<base::ExitStatus> relay(isolation::Launched& launched);

private:
    AttachedStdio() = default;
    bool terminal_ = false;
    bool interactive_ = false;
    bool piped_ = false;
    isolation::StdioFds guest_;
    std::vector<base::Fd> owned_;  // the guest's ends, closed by relay()
    isolation::Pipes pipes_;       // our ends
};

// Nothing in, the guest's log out.
struct DetachedStdio {
    base::Fd null_in;
    base::Fd log;

    [[nodiscard]] isolation::StdioFds guest_side() const {
        return {null_in.get(), log.get(), log.get()};
    }
};

}  // namespace warren::engine
