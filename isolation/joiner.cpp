#include "isolation/joiner.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "isolation/child/interpreter.hpp"
#include "isolation/launcher.hpp"
#include "isolation/pending_child.hpp"

namespace warren::isolation {

using base::Error;
using base::Result;

namespace {

Error join_error(const child::Report& report) {
    if (static_cast<child::Op>(report.op) == child::Op::EnterNamespaces) {
        return entering_error(report.error_number);
    }
    return base::errno_error(report.error_number, "clone into the guest's namespaces");
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

namespace {

// While it lives, children of this process are born in another PID namespace (setns(2), pid_namespaces(7)).
class BirthPlace {
public:
    BirthPlace() = default;
    BirthPlace(const BirthPlace&) = delete;
    BirthPlace& operator=(const BirthPlace&) = delete;
    BirthPlace(BirthPlace&&) = delete;
    BirthPlace& operator=(BirthPlace&&) = delete;

    ~BirthPlace() { (void)leave(); }

    // False: who is no privileged user where this process stands may not.
    [[nodiscard]] Result<bool> enter(const base::PidRef& target) {
        own_ = TRY(base::open_at(AT_FDCWD, "/proc/self/ns/pid", O_RDONLY));
        if (::setns(target.pidfd(), CLONE_NEWPID) == 0) {
            return true;
        }
        const int error_number = errno;
        own_.reset();
        if (error_number == EPERM) {
            return false;
        }
        return entering_error(error_number);
    }

    [[nodiscard]] base::Status leave() {
        const base::Fd own = std::move(own_);
        if (own && ::setns(own.get(), CLONE_NEWPID) != 0) {
            return base::errno_error("leave the guest's PID namespace");
        }
        return base::ok();
    }

private:
    base::Fd own_;
};

}  // namespace

Result<OwnedChild> clone_joined(Channel& channel,
                                child::Context& context,
                                const base::PidRef& target,
                                std::uint64_t flags,
                                int cgroup_fd) {
    constexpr std::uint64_t kBornIn = CLONE_NEWPID;
    BirthPlace birth_place;
    // It starts in the guest's cgroup, as from inside the guest's cgroup namespace it could not move there.
    const CloneRequest request{0, cgroup_fd};
    // Born among the target's processes it still stands in the host for a moment, with all rights. Only a user namespace
    // makes sure that nobody there can trace it.
    const bool born_there = (flags & CLONE_NEWUSER) != 0;
    if ((flags & kBornIn) != 0 && (!born_there || !TRY(birth_place.enter(target)))) {
        OwnedChild joiner = TRY(clone_child(request, [&](const clone_args& args) {
            return child::clone_joiner(args, context, target.pidfd(), flags);
        }));
        channel.childs.reset();
        return adopt(channel.ours.get(), std::move(joiner));
    }
    OwnedChild joined = TRY(clone_child(request, [&](const clone_args& args) {
        return child::clone_entering(args, context, target.pidfd(), flags & ~kBornIn);
    }));
    channel.childs.reset();
    TRY(birth_place.leave());
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
    auto child =
        TRY(clone_joined(channel, context, target, spec.namespaces.clone_flags(), cgroup_fd));
    PendingChild joined(recipe, std::move(channel.ours), std::move(child));
    auto notes = TRY(apply_limits(joined.process().pid(), spec.process));
    TRY(joined.release({}));
    auto launched = TRY(joined.follow({}));
    launched.notes.insert(launched.notes.begin(), notes.begin(), notes.end());
    return launched;
}

}  // namespace warren::isolation
