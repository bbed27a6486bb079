// What containers have that guests do not: namespaces by path, sysctls, labels, and the rest of the specification's
// process. The bigger ones have files of their own.
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>

#include "isolation/child/container_step.hpp"
#include "isolation/child/mount_calls.hpp"
#include "isolation/child/ops.hpp"
#include "isolation/child/syscalls.hpp"

namespace warren::isolation::child {

namespace {

constexpr int kFirstPreserved = 3;

// The caller's /proc, opened before there was anything of the container's: no name in it can be the container's. What
// a file there tells and takes goes by whoever opens it, this process in its namespaces.
int open_proc(const Context& context, const char* path) {
    return open_at2(context.slots[kProcSlot], path, O_WRONLY, RESOLVE_BENEATH | RESOLVE_NO_XDEV);
}

int write_text(int fd, const char* text, std::uint64_t size) {
    const long written = sys(SYS_write, fd, text, size);
    if (written < 0) {
        return static_cast<int>(written);
    }
    return static_cast<std::uint64_t>(written) == size ? 0 : -EIO;
}

int write_proc(const Context& context, const char* path, const char* text, std::uint64_t size) {
    const int fd = open_proc(context, path);
    if (fd < 0) {
        return fd;
    }
    const int result = write_text(fd, text, size);
    (void)sys(SYS_close, fd);
    return result;
}

// UnshareTime: s1 the offsets, a their length, b whether to enter at once. clone3(2) would put the child into a time
// namespace whose offsets can be changed no more.
int unshare_time(const Context& context, const Step& step) {
    int result = status(SYS_unshare, CLONE_NEWTIME);
    if (result == 0 && step.a != 0) {
        result = write_proc(context, "self/timens_offsets", step.s1, step.a);
    }
    if (result != 0 || step.b == 0) {
        return result;
    }
    // A magic link, which only the host's own /proc may be asked for.
    const int fd = descriptor(
        SYS_openat, context.slots[kProcSlot], "self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fd;
    }
    result = status(SYS_setns, fd, CLONE_NEWTIME);
    (void)sys(SYS_close, fd);
    return result;
}

// OpenLabel: s1 the file below /proc, s2 another to try where it is missing, slot what receives it. WriteLabel comes
// when this /proc is closed.
int open_label(Context& context, const Step& step) {
    int fd = open_proc(context, step.s1);
    if (fd == -ENOENT && step.s2 != nullptr) {
        fd = open_proc(context, step.s2);
    }
    context.slots[step.slot] = fd < 0 ? -1 : fd;
    return fd < 0 ? fd : 0;
}

// WriteLabel: s1 the label, a its length, slot the file.
int write_label(Context& context, const Step& step) {
    const int result = write_text(context.slots[step.slot], step.s1, step.a);
    clear_slot(context, step.slot);
    return result;
}

// PreserveFds: a how many from 3 on the program gets.
int preserve_fds(const Step& step) {
    for (std::uint64_t i = 0; i < step.a; ++i) {
        const int result = status(SYS_fcntl, kFirstPreserved + i, F_SETFD, 0);
        if (result != 0) {
            return result;
        }
    }
    return 0;
}

// SetListenPid: data the place of the digits in the environment, zeros that a terminator follows.
int set_listen_pid(const Step& step) {
    char digits[20];
    std::size_t count = 0;
    for (long pid = sys(SYS_getpid); pid != 0 && count < sizeof(digits); pid /= 10) {
        digits[count++] = static_cast<char>('0' + pid % 10);
    }
    auto* out = static_cast<char*>(const_cast<void*>(step.data));
    while (count > 0) {
        *out++ = digits[--count];
    }
    *out = '\0';
    return 0;
}

int change_dir(const Context& context, const Step& step) {
    Step plain = step;
    plain.op = Op::ChangeDir;
    return perform_process(context, plain);
}

// TryChangeDir: as ChangeDir, with the rights of the container's root; where these do not do, the process's own may.
int try_change_dir(Context& context, const Step& step) {
    const int result = change_dir(context, step);
    context.cwd_denied = result == -EACCES || result == -EPERM;
    return context.cwd_denied ? 0 : result;
}

// The root and what is mounted in it.
bool perform_on_root(Context& context, const Step& step, int& result) {
    switch (step.op) {
        case Op::CloneHostTree:
            result = clone_host_tree(context, step);
            return true;
        case Op::MountFileSystem:
            result = mount_file_system(context, step);
            return true;
        case Op::RenewMount:
            result = renew_mount(context, step);
            return true;
        case Op::Reconfigure:
            result = reconfigure(context, step);
            return true;
        case Op::SetPropagation:
            result = set_propagation(context, step);
            return true;
        case Op::ChangeMount:
            result = change_mount(context, step);
            return true;
        case Op::PlaceMount:
            result = place_mount(context, step);
            return true;
        case Op::InheritMode:
            result = inherit_mode(context, step);
            return true;
        case Op::CopyUp:
            result = copy_up(context, step);
            return true;
        case Op::MakeNode:
            result = make_node(context, step);
            return true;
        case Op::MakeLink:
            result = make_link(context, step);
            return true;
        case Op::HideHost:
            result = hide_host();
            return true;
        case Op::EnterRoot:
            result = enter_root(context, step);
            return true;
        case Op::LeaveRoot:
            result = leave_root(context, step);
            return true;
        case Op::RunHook:
            result = run_hook(context, step);
            return true;
        default:
            return false;
    }
}

}  // namespace

bool perform_container(Context& context, const Step& step, int& result) {
    if (perform_on_root(context, step, result)) {
        return true;
    }
    switch (step.op) {
        case Op::EnterNamespace:  // slot the namespace, a its type
            result = status(SYS_setns, context.slots[step.slot], step.a);
            return true;
        case Op::UnshareTime:
            result = unshare_time(context, step);
            return true;
        case Op::SetDomainname:  // s1 the name, a its length
            result = status(SYS_setdomainname, step.s1, step.a);
            return true;
        case Op::WriteProc:  // s1 the file below /proc, s2 the text, a its length
            result = write_proc(context, step.s1, step.s2, step.a);
            return true;
        case Op::OpenLabel:
            result = open_label(context, step);
            return true;
        case Op::WriteLabel:
            result = write_label(context, step);
            return true;
        case Op::CloseAllBut:
            result = close_all_but(context, step);
            return true;
        case Op::PreserveFds:
            result = preserve_fds(step);
            return true;
        case Op::SetListenPid:
            result = set_listen_pid(step);
            return true;
        case Op::ReportCreated:
            result = report_created(context);
            return true;
        case Op::WaitStart:
            result = wait_start(context, step);
            return true;
        case Op::SetPersonality:  // a
            result = status(SYS_personality, step.a);
            return true;
        case Op::TryChangeDir:
            result = try_change_dir(context, step);
            return true;
        case Op::RetryChangeDir:  // as ChangeDir, when TryChangeDir left it
            result = context.cwd_denied ? change_dir(context, step) : 0;
            return true;
        case Op::LoadListener:
            result = load_listener(context, step);
            return true;
        case Op::OwnNull:
            result = own_null();
            return true;
        default:
            return false;
    }
}

}  // namespace warren::isolation::child
