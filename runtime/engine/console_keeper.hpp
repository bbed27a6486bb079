// One process for the consoles of all guests of a RUN directory. A pty's master must be held by somebody, or the
// terminal hangs up; so the first guest that needs one has a keeper started, and it ends by itself with the
// last. It copies what comes out into the guests' logs and keeps those within their bound. Nothing depends on it: killed,
// every guest runs on without a console, and every verb works.
//
//   RUN/console.sock   SOCK_SEQPACKET: one message a guest, {name} with {master, log, pidfd}
//   RUN/console.lock   held while handing over, and by the keeper while it decides to end
#pragma once

#include "base/fd.hpp"
#include "base/ids.hpp"
#include "base/pidref.hpp"
#include "runtime/engine/context.hpp"

namespace warren::engine {

// Hands a console over, starting the keeper when there is none. `master` may be invalid: then the guest writes its
// log itself, and only the bound is kept. Must be called from a process with one thread.
[[nodiscard]] base::Status keep_console(const Context& context,
                                        const base::Name& name,
                                        base::Fd master,
                                        base::Fd log,
                                        const base::PidRef& process);

// Waits a moment for a keeper without guests to be gone.
void await_console_keeper_end(const Context& context);

}  // namespace warren::engine
