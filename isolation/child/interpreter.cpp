#include "isolation/child/interpreter.hpp"

#include <linux/prctl.h>
#include <sys/socket.h>

#include "isolation/child/clone.hpp"
#include "isolation/child/ops.hpp"
#include "isolation/child/syscalls.hpp"

namespace warren::isolation::child {

namespace {

// As shells end for a program that is not there, and for one that cannot be run: whoever supervises a container
// reads it from its status when the words went to somebody else.
constexpr int kNotFound = 127;
constexpr int kNotExecutable = 126;

}  // namespace

int send_report(const Context& context, const Report& report, int fd) {
    iovec parts[2] = {{const_cast<Report*>(&report), sizeof(report)}, {nullptr, 0}};
    if (context.tell_site) {
        const char* site = context.sites[context.step];
        const std::size_t size = __builtin_strlen(site);
        parts[1] = {const_cast<char*>(site), size < kSiteLimit ? size : kSiteLimit};
    }
    alignas(cmsghdr) unsigned char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    if (fd >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        __builtin_memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    }
    return status(SYS_sendmsg, context.report, &message, MSG_NOSIGNAL);
}

void report_failure(const Context& context, ReportKind kind, Op op, int error) {
    const Report report{
        kReportMagic, kind, context.step, static_cast<std::uint32_t>(op), -error, context.detail};
    (void)send_report(context, report, -1);
}

void clear_slot(Context& context, std::int32_t slot) {
    int& fd = context.slots[slot];
    if (fd >= 0) {
        (void)sys(SYS_close, fd);
        fd = -1;
    }
}

void leave(int code) {
    for (;;) {
        (void)sys(SYS_exit_group, code);
    }
}

namespace {

int perform(Context& context, const Step& step) {
    switch (step.op) {
        case Op::WaitIds:
            return wait_go(context, 0);
        case Op::WaitRelease:
            return wait_go(context, kReleasedSlots);
        case Op::NewKeyring:
            return new_keyring();
        case Op::Unshare:  // a: CLONE_NEW*
            return status(SYS_unshare, step.a);
        case Op::Setsid:
            return status(SYS_setsid);
        case Op::SetHostname:
            return set_hostname(step);
        case Op::NetlinkRequest:
            return netlink_request(step);
        case Op::PrivatePropagation:
            return private_propagation();
        case Op::AttachRoot:
            return attach_root(context, step);
        case Op::OpenFileSystem:
            return open_file_system(context, step);
        case Op::PivotRoot:
            return pivot_root(context, step);
        case Op::MakeTarget:
            return make_target(context, step);
        case Op::AttachMount:
            return attach_mount(context, step);
        case Op::MaskPath:
            return mask_path(context, step);
        case Op::ReadonlyPath:
            return readonly_path(step);
        case Op::ReadonlyRoot:
            return readonly_root();
        case Op::OpenTerminal:
            return open_terminal(context, step);
        case Op::BindConsole:
            return bind_console(context);
        case Op::TakeStdio:
            return take_stdio(context, step);
        case Op::CloseOthers:
            return close_others(context);
        default:
            break;
    }
    int result = 0;
    return perform_container(context, step, result) ? result : perform_process(context, step);
}

}  // namespace

void walk(Context& context) {
    (void)sys(SYS_close, context.peer);
    for (std::size_t i = 0; i < context.step_count; ++i) {
        const Step& step = context.steps[i];
        context.step = static_cast<std::uint32_t>(i);
        if (step.op == Op::Exec) {
            report_failure(context, ReportKind::Exec, step.op, 0);
        }
        context.detail = 0;
        const int error = perform(context, step);
        if (error == 0) {
            continue;
        }
        if ((step.flags & kOptional) == 0) {
            report_failure(context, ReportKind::Error, step.op, error);
            leave(step.op == Op::Exec ? (error == -ENOENT ? kNotFound : kNotExecutable) : 1);
        }
        report_failure(context, ReportKind::Note, step.op, error);
    }
    leave(kNotFound);
}

namespace {

constexpr std::size_t kSiblingStack = std::size_t{128} << 10;

// With CLONE_VM.
long clone_walker(const clone_args& args, Context& context) {
    return clone_on_stack(
        args, [](void* walked) { walk(*static_cast<Context*>(walked)); }, &context);
}

[[noreturn]] void join_fails(const Context& context, Op op, int error) {
    report_failure(context, ReportKind::Error, op, error);
    leave(1);
}

void enter(const Context& context, int target_pidfd, std::uint64_t flags) {
    // Entering must not open this process (a copy of a host program's memory) to the guest.
    (void)sys(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
    // One call: the kernel then checks all against the credentials in the target's user namespace, in the
    // order that works.
    const int entered = flags == 0 ? 0 : status(SYS_setns, target_pidfd, flags);
    if (entered != 0) {
        join_fails(context, Op::EnterNamespaces, entered);
    }
    // A change of user namespace resets the flag to fs.suid_dumpable.
    (void)sys(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
}

[[noreturn]] void join(Context& context, int target_pidfd, std::uint64_t flags) {
    enter(context, target_pidfd, flags);
    // It runs in the joiner's memory, which nobody else needs: the joiner has only to tell its pid.
    alignas(16) unsigned char stack[kSiblingStack];
    clone_args args{};
    args.flags = CLONE_PARENT | CLONE_VM;  // the exit signal is the joiner's own
    args.stack = reinterpret_cast<std::uintptr_t>(stack);
    args.stack_size = sizeof(stack);
    const long pid = clone_walker(args, context);
    if (pid < 0) {
        join_fails(context, Op::CloneJoined, static_cast<int>(pid));
    }
    const Report report{kReportMagic, ReportKind::Pid, 0, 0, 0, static_cast<std::int32_t>(pid)};
    leave(send_report(context, report, -1) == 0 ? 0 : 1);
}

}  // namespace

long clone_guest(const clone_args& args, Context& context) {
    if ((args.flags & CLONE_VM) != 0) {
        return clone_walker(args, context);
    }
    const long pid = sys(SYS_clone3, &args, sizeof(args));
    if (pid == 0) {
        walk(context);
    }
    return pid;
}

long clone_entering(const clone_args& args,
                    Context& context,
                    int target_pidfd,
                    std::uint64_t flags) {
    const long pid = sys(SYS_clone3, &args, sizeof(args));
    if (pid == 0) {
        enter(context, target_pidfd, flags);
        walk(context);
    }
    return pid;
}

long clone_joiner(const clone_args& args, Context& context, int target_pidfd, std::uint64_t flags) {
    const long pid = sys(SYS_clone3, &args, sizeof(args));
    if (pid == 0) {
        join(context, target_pidfd, flags);
    }
    return pid;
}

}  // namespace warren::isolation::child
