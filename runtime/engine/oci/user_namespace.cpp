// A user namespace that outlives the process it was made with.
#include <csignal>

#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/pidref.hpp"
#include "base/scope_exit.hpp"
#include "runtime/engine/oci/prepare.hpp"

namespace warren::engine::oci {

namespace {

// A copy of us that does nothing until it is killed, and dies with us.
base::Result<base::PidRef> clone_sleeper() {
    int pidfd = -1;
    clone_args args{};
    args.flags = CLONE_NEWUSER | CLONE_PIDFD;
    args.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
    args.exit_signal = SIGCHLD;
    const pid_t parent = ::getpid();
    const long pid = ::syscall(SYS_clone3, &args, sizeof(args));
    if (pid < 0) {
        return base::errno_error("make a user namespace");
    }
    if (pid == 0) {
        (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (::getppid() == parent) {
            (void)::pause();
        }
        ::_exit(0);
    }
    return base::PidRef(static_cast<pid_t>(pid), base::Fd(pidfd));
}

}  // namespace

base::Result<base::Fd> make_user_namespace(const isolation::IdMap& map) {
    const auto sleeper = TRY(clone_sleeper());
    const base::ScopeExit end([&] {
        (void)sleeper.signal(SIGKILL);
        (void)base::reap(sleeper);
    });
    const std::string proc = "/proc/" + std::to_string(sleeper.pid()) + "/";
    TRY(base::write_knob_at(AT_FDCWD, proc + "uid_map", isolation::IdMap::text(map.uids)));
    TRY(base::write_knob_at(AT_FDCWD, proc + "gid_map", isolation::IdMap::text(map.gids)));
    return base::open_at(AT_FDCWD, proc + "ns/user", O_RDONLY);
}

}  // namespace warren::engine::oci
