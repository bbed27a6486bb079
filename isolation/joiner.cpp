#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "isolation/child/interpreter.hpp"
#include "isolation/handshake.hpp"
#include "isolation/launcher.hpp"

namespace warren::isolation {

using base::Error;
using base::ErrorKind;
using base::Result;

namespace {

Error join_error(const child::Report& report) {
    const bool entering = static_cast<child::Op>(report.op) == child::Op::EnterNamespaces;
    if (entering && report.error_number == ESRCH) {
        return {ErrorKind::Busy, "enter the guest: its first process has ended"};
    }
    return base::errno_error(
        report.error_number,
        entering ? "enter the guest's namespaces" : "clone into the guest's namespaces");
}

}  // namespace

// The pid is that of a child of ours that is not reaped, so it is still its own when the pidfd is opened.
Result<OwnedChild> adopt(int channel, OwnedChild joiner) {
    auto received = TRY(receive_report(channel));
    if (!received) {
        return base::fail("enter the namespaces: the process " + death_words(joiner.process()));
    }
    const auto& report = received->report;
    if (report.kind == child::ReportKind::Error) {
        return join_error(report);
    }
    if (report.kind != child::ReportKind::Pid || report.value <= 0) {
        return base::fail("read the child's report: out of turn");
    }
    base::Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, report.value, 0)));
    if (!pidfd) {
        return base::errno_error("open the joined process");
    }
    OwnedChild joined(base::PidRef(report.value, std::move(pidfd)));
    (void)base::reap(joiner.let_go());
    return joined;
}

Result<Launched> join_guest(const JoinSpec& spec,
                            const Recipe& recipe,
                            const base::PidRef& target,
                            int cgroup_fd,
                            StdioFds stdio) {
    auto channel = TRY(open_channel());
    base::Fd null;
    child::Context context = TRY(make_context(recipe, channel, stdio, null));
    // The joiner starts in the guest's cgroup, as from inside the guest's cgroup namespace it could not move there.
    const CloneRequest request{0, cgroup_fd};
    int pidfd = -1;
    const clone_args args = make_clone_args(request, pidfd);
    long pid = 0;
    {
        const SignalsBlocked blocked;
        pid = child::clone_joiner(args, context, target.pidfd(), spec.namespaces.clone_flags());
    }
    if (pid < 0) {
        return clone_error(static_cast<int>(-pid), request);
    }
    OwnedChild joiner(base::PidRef(static_cast<pid_t>(pid), base::Fd(pidfd)));
    channel.childs.reset();
    OwnedChild joined = TRY(adopt(channel.ours.get(), std::move(joiner)));
    auto notes = TRY(apply_limits(joined.process().pid(), spec.process));
    TRY(send_release(channel.ours.get(), {}));
    auto launched = TRY(await_exec(channel.ours.get(), joined.process(), recipe));
    launched.notes.insert(launched.notes.begin(), notes.begin(), notes.end());
    launched.process = joined.let_go();
    return launched;
}

}  // namespace warren::isolation
