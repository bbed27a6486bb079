#include "runtime/engine/live_hostname.hpp"

#include <cerrno>

#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace warren::engine {

base::Status set_live_hostname(const base::PidRef& process, const std::string& hostname) {
    const std::string what = "set host name \"" + hostname + "\"";
    const pid_t child = ::fork();
    if (child < 0) {
        return base::errno_error(what);
    }
    if (child == 0) {
        // Error numbers are small enough for an exit code.
        const bool done = ::setns(process.pidfd(), CLONE_NEWUTS) == 0 &&
                          ::sethostname(hostname.data(), hostname.size()) == 0;
        ::_exit(done ? 0 : errno);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return base::errno_error(what);
        }
    }
    if (!WIFEXITED(status)) {
        return base::fail(what + ": the helper was killed");
    }
    if (WEXITSTATUS(status) != 0) {
        return base::errno_error(WEXITSTATUS(status), what);
    }
    return base::ok();
}

}  // namespace warren::engine
