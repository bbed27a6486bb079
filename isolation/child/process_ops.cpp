// Who the program will be, and the program itself.
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sys/resource.h>

#include "isolation/child/ops.hpp"
#include "isolation/child/syscalls.hpp"

namespace warren::isolation::child {

namespace {

constexpr std::size_t kSigsetSize = 8;
constexpr int kLastSignal = 64;

int prctl(int option, std::uint64_t a = 0, std::uint64_t b = 0) {
    return status(SYS_prctl, option, a, b, 0, 0);
}

// SetRlimit: a the resource, data the rlimit64 wanted. The parent has raised what it may; what it may not stays at
// the hard limit that stands, as the parent has noted.
int set_rlimit(const Step& step) {
    rlimit64 wanted;
    __builtin_memcpy(&wanted, step.data, sizeof(wanted));
    int result = status(SYS_prlimit64, 0, step.a, &wanted, nullptr);
    if (result != -EPERM) {
        return result;
    }
    rlimit64 now{};
    result = status(SYS_prlimit64, 0, step.a, nullptr, &now);
    if (result != 0) {
        return result;
    }
    wanted.rlim_max = wanted.rlim_max < now.rlim_max ? wanted.rlim_max : now.rlim_max;
    wanted.rlim_cur = wanted.rlim_cur < wanted.rlim_max ? wanted.rlim_cur : wanted.rlim_max;
    return status(SYS_prlimit64, 0, step.a, &wanted, nullptr);
}

// SetUid: a. A change of ids may make a process dumpable again (fs.suid_dumpable).
int set_uid(const Step& step) {
    const int result = status(SYS_setresuid, step.a, step.a, step.a);
    return result != 0 ? result : prctl(PR_SET_DUMPABLE, 0);
}

// DropBounding: a the mask that stays.
int drop_bounding(const Step& step) {
    for (unsigned cap = 0; cap < 64; ++cap) {
        if (((step.a >> cap) & 1) != 0) {
            continue;
        }
        const int result = prctl(PR_CAPBSET_DROP, cap);
        if (result == -EINVAL) {
            return 0;  // past the last one this kernel knows
        }
        // Who may not drop it has nothing to fear where it is not held.
        if (result != 0 && sys(SYS_prctl, PR_CAPBSET_READ, cap, 0, 0, 0) != 0) {
            return result;
        }
    }
    return 0;
}

// SetCapabilities: data a CapData; ambient is emptied. What this host does not let us have is left out, with a note.
int set_capabilities(const Context& context, const Step& step) {
    CapData wanted;
    __builtin_memcpy(&wanted, step.data, sizeof(wanted));
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct now[2] = {};
    int result = status(SYS_capget, &header, now);
    if (result != 0) {
        return result;
    }
    __user_cap_data_struct sets[2];
    for (unsigned i = 0; i < 2; ++i) {
        const unsigned shift = 32 * i;
        sets[i].permitted = static_cast<__u32>(wanted.permitted >> shift) & now[i].permitted;
        sets[i].effective = static_cast<__u32>(wanted.effective >> shift) & sets[i].permitted;
        sets[i].inheritable = static_cast<__u32>(wanted.inheritable >> shift) &
                              (now[i].inheritable | now[i].permitted);
    }
    const std::uint64_t had = std::uint64_t{now[1].permitted} << 32 | now[0].permitted;
    if ((wanted.permitted & ~had) != 0) {
        report_failure(context, ReportKind::Note, step.op, -EPERM);
    }
    result = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL);
    return result != 0 ? result : status(SYS_capset, &header, sets);
}

// RaiseAmbient: a the mask; each is permitted and inheritable by now, or it cannot be raised.
int raise_ambient(const Step& step) {
    for (unsigned cap = 0; cap < 64; ++cap) {
        if (((step.a >> cap) & 1) != 0) {
            const int result = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap);
            if (result != 0) {
                return result;
            }
        }
    }
    return 0;
}

// LoadSeccomp: data the sock_filter instructions, a their number, b SECCOMP_FILTER_FLAG_*.
int load_seccomp(const Step& step) {
    sock_fprog program{};
    program.len = static_cast<unsigned short>(step.a);
    program.filter = const_cast<sock_filter*>(static_cast<const sock_filter*>(step.data));
    return status(SYS_seccomp, SECCOMP_SET_MODE_FILTER, step.b, &program);
}

// ChangeDir: s1. A directory that is not below our root has no path here: it was reached through a descriptor or a
// link that leads outside (CVE-2024-21626). EXDEV stands for that.
int change_dir(const Step& step) {
    const int result = status(SYS_chdir, step.s1);
    if (result != 0) {
        return result;
    }
    char path[4096];
    path[0] = '\0';
    const long length = sys(SYS_getcwd, path, sizeof(path));
    if (length < 0) {
        return length == -ENOENT ? -EXDEV : static_cast<int>(length);
    }
    return path[0] == '/' ? 0 : -EXDEV;
}

// ResetSignals: handlers went with the clone (CLONE_CLEAR_SIGHAND); ignored ones and the mask are inherited.
int reset_signals() {
    // Zero is SIG_DFL without flags in any architecture's layout of the kernel's sigaction.
    const std::uint64_t plain[8] = {};
    for (int signal = 1; signal <= kLastSignal; ++signal) {
        (void)sys(SYS_rt_sigaction, signal, plain, nullptr, kSigsetSize);  // KILL and STOP refuse
    }
    const std::uint64_t none = 0;
    constexpr int kSetMask = 2;
    return status(SYS_rt_sigprocmask, kSetMask, &none, nullptr, kSigsetSize);
}

int try_candidates(const ExecData& program) {
    int answer = -ENOENT;
    for (const char* const* path = program.candidates; *path != nullptr; ++path) {
        const int error = status(SYS_execve, *path, program.argv, program.env);
        if (error == -EACCES) {
            answer = error;
        } else if (error != -ENOENT && error != -ENOTDIR) {
            return error;
        }
    }
    return answer;
}

// Exec: data an ExecData. As execvp(3): what is missing or may not be run is passed over, and "may not" is the
// better answer when nothing ran.
int exec(const Step& step) {
    ExecData program;
    __builtin_memcpy(&program, step.data, sizeof(program));
    const int error = try_candidates(program);
    const char* line = error == -ENOENT   ? program.missing
                       : error == -EACCES ? program.denied
                                          : program.failed;
    if (line != nullptr) {
        constexpr int kStandardError = 2;
        (void)sys(SYS_write, kStandardError, line, __builtin_strlen(line));
    }
    return error;
}

}  // namespace

int perform_process(const Context& context, const Step& step) {
    switch (step.op) {
        case Op::SetNonDumpable:
            return prctl(PR_SET_DUMPABLE, 0);
        case Op::SetUmask:
            (void)sys(SYS_umask, step.a);
            return 0;
        case Op::SetRlimit:
            return set_rlimit(step);
        case Op::SetGroups:  // data the ids, a their number
            return status(SYS_setgroups, step.a, step.data);
        case Op::SetGid:  // a
            return status(SYS_setresgid, step.a, step.a, step.a);
        case Op::SetUid:
            return set_uid(step);
        case Op::KeepCaps:  // the permitted set survives the change to an unprivileged uid
            return prctl(PR_SET_KEEPCAPS, 1);
        case Op::DropBounding:
            return drop_bounding(step);
        case Op::SetCapabilities:
            return set_capabilities(context, step);
        case Op::RaiseAmbient:
            return raise_ambient(step);
        case Op::NoNewPrivs:
            return prctl(PR_SET_NO_NEW_PRIVS, 1);
        case Op::LoadSeccomp:
            return load_seccomp(step);
        case Op::ChangeDir:
            return change_dir(step);
        case Op::ResetSignals:
            return reset_signals();
        case Op::Exec:
            return exec(step);
        default:
            return -ENOSYS;
    }
}

}  // namespace warren::isolation::child
