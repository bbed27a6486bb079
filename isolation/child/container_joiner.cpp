// Enters namespaces before the container's process is cloned: where a process can only be born in one, and where a user
// namespace of its own would take the rights over the others away.
#include <linux/prctl.h>

#include "isolation/child/interpreter.hpp"
#include "isolation/child/ops.hpp"
#include "isolation/child/syscalls.hpp"

namespace warren::isolation::child {

namespace {

constexpr int kNamespaces = 8;

[[noreturn]] void fails(const Context& context, Op op, int error) {
    report_failure(context, ReportKind::Error, op, error);
    leave(1);
}

// Those of another's user namespace answer EPERM; once that one is entered they open. `entered` remembers.
int enter_all(const JoinRequest& request, bool* entered, bool last) {
    for (int i = 0; i < kNamespaces; ++i) {
        if (request.fds[i] < 0 || entered[i]) {
            continue;
        }
        const int result = status(SYS_setns, request.fds[i], request.types[i]);
        entered[i] = result == 0;
        if (result != 0 && (last || result != -EPERM)) {
            return result;
        }
    }
    return 0;
}

int enter(const JoinRequest& request) {
    bool entered[kNamespaces] = {};
    const bool user = request.user_fd >= 0;
    int result = enter_all(request, entered, !user);
    if (result == 0 && user) {
        result = status(SYS_setns, request.user_fd, CLONE_NEWUSER);
    }
    if (result == 0 && user) {
        // A change of user namespace resets the flag to fs.suid_dumpable.
        (void)sys(SYS_prctl, PR_SET_DUMPABLE, request.dumpable ? 1 : 0, 0, 0, 0);
        result = enter_all(request, entered, true);
    }
    return result;
}

[[noreturn]] void join(Context& context, const JoinRequest& request) {
    if (!request.dumpable) {
        (void)sys(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
    }
    const int entered = enter(request);
    if (entered != 0) {
        fails(context, Op::EnterNamespaces, entered);
    }
    clone_args args{};
    args.flags = request.clone_flags | CLONE_PARENT;  // the exit signal is the joiner's own
    const long pid = sys(SYS_clone3, &args, sizeof(args));
    if (pid < 0) {
        fails(context, Op::CloneJoined, static_cast<int>(pid));
    }
    if (pid == 0) {
        walk(context);
    }
    const Report report{kReportMagic, ReportKind::Pid, 0, 0, 0, static_cast<std::int32_t>(pid)};
    leave(send_report(context, report, -1) == 0 ? 0 : 1);
}

}  // namespace

long clone_container_joiner(const clone_args& args, Context& context, const JoinRequest& request) {
    const long pid = sys(SYS_clone3, &args, sizeof(args));
    if (pid == 0) {
        join(context, request);
    }
    return pid;
}

}  // namespace warren::isolation::child
