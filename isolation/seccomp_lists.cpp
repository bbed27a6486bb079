#include "isolation/seccomp_lists.hpp"

#include <array>

namespace warren::isolation::lists {

namespace {

constexpr std::array kCommon = {
    // Files by descriptor: what a descriptor allows was decided when it was opened.
    Group{
        "_llseek close close_range copy_file_range dup dup2 dup3 fadvise64 fadvise64_64 fallocate "
        "fcntl fcntl64 fdatasync flock fsync ftruncate ftruncate64 getdents getdents64 ioctl lseek "
        "pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readdir readv sendfile "
        "sendfile64 splice sync sync_file_range syncfs tee vmsplice write writev"},
    // Files by name: permission, ownership and the mount table decide.
    Group{
        "access chdir chmod chown chown32 creat faccessat faccessat2 fchdir fchmod fchmodat "
        "fchmodat2 fchown fchown32 fchownat fstat fstat64 fstatat64 fstatfs fstatfs64 futimesat "
        "getcwd lchown lchown32 link linkat lstat lstat64 mkdir mkdirat newfstatat oldfstat "
        "oldlstat oldstat open openat openat2 readlink readlinkat rename renameat renameat2 rmdir "
        "stat stat64 statfs statfs64 statx symlink symlinkat truncate truncate64 umask unlink "
        "unlinkat ustat utime utimensat utimensat_time64 utimes file_getattr file_setattr"},
    // Extended attributes: the kernel checks the name's prefix against the capability.
    Group{"fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr "
          "listxattrat llistxattr lremovexattr lsetxattr removexattr removexattrat setxattr "
          "setxattrat"},
    // Nodes: refused by the kernel in a user namespace, by the device program elsewhere; fifos,
    // sockets and overlay whiteouts are made by the same call.
    Group{"mknod mknodat"},
    // A handle names a file but opens nothing; systemd compares mounts and cgroups by it.
    Group{"name_to_handle_at"},
    // chroot(2) needs CAP_SYS_CHROOT and hides nothing from its caller.
    Group{"chroot"},
    // Waiting for events.
    Group{
        "_newselect epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait "
        "eventfd eventfd2 inotify_add_watch inotify_init inotify_init1 inotify_rm_watch poll ppoll "
        "ppoll_time64 pselect6 pselect6_time64 select"},
    // A mark is useless without the group that fanotify_init(2) makes.
    Group{"fanotify_mark"},
    // The old asynchronous I/O; databases use it.
    Group{
        "io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit"},
    // Memory of one's own.
    Group{"brk cachestat madvise map_shadow_stack membarrier memfd_create memfd_secret mincore "
          "mlock mlock2 mlockall mmap mmap2 mprotect mremap mseal msync munlock munlockall munmap "
          "pkey_alloc pkey_free pkey_mprotect remap_file_pages"},
    // Processes and threads. clone(2) and clone3(2) depend on the profile.
    Group{
        "capget capset execve execveat exit exit_group fork getcpu getpgid getpgrp getpid getppid "
        "getsid gettid kill pidfd_getfd pidfd_open pidfd_send_signal prctl process_madvise "
        "process_mrelease restart_syscall rt_sigqueueinfo rt_tgsigqueueinfo set_tid_address "
        "setpgid "
        "setsid tgkill tkill vfork wait4 waitid waitpid"},
    // Watching processes: by ptrace access mode, that is one's own user namespace and uid. Linux
    // before 4.8 let a traced child escape its filter; the mount API used here asks for more.
    Group{"kcmp process_vm_readv process_vm_writev ptrace"},
    Group{"futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake get_robust_list "
          "get_thread_area rseq set_robust_list set_thread_area"},
    Group{"pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend "
          "rt_sigtimedwait rt_sigtimedwait_time64 sgetmask sigaction sigaltstack signal signalfd "
          "signalfd4 sigpending sigprocmask sigreturn sigsuspend ssetmask"},
    // Who one is: bounded by the id map and the capability sets.
    Group{
        "getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid "
        "getresgid32 getresuid getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 "
        "setgid setgid32 setgroups setgroups32 setregid setregid32 setresgid setresgid32 setresuid "
        "setresuid32 setreuid setreuid32 setuid setuid32"},
    // Scheduling and limits: raising anything asks for a capability in the host's user namespace.
    Group{
        "getpriority getrlimit getrusage ioprio_get ioprio_set nice prlimit64 "
        "sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr "
        "sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 "
        "sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield setpriority "
        "setrlimit sysinfo times ugetrlimit"},
    // Clocks to read and timers; adjtimex(2) reads unless the host gave CAP_SYS_TIME.
    Group{"adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 "
          "clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 getitimer "
          "gettimeofday nanosleep setitimer time timer_create timer_delete timer_getoverrun "
          "timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create "
          "timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64"},
    // System V and POSIX queues, semaphores, shared memory: per IPC namespace.
    Group{
        "ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend "
        "mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop "
        "semtimedop_time64 shmat shmctl shmdt shmget"},
    // Sockets that exist; socket(2) itself is filtered by family. 32-bit C libraries reach it only
    // through socketcall(2), whose arguments lie in memory where no filter can look.
    Group{"accept accept4 bind connect getpeername getsockname getsockopt listen pipe pipe2 recv "
          "recvfrom recvmmsg recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt "
          "shutdown "
          "socketcall socketpair"},
    // Walls that a process builds for itself.
    Group{"landlock_add_rule landlock_create_ruleset landlock_restrict_self lsm_get_self_attr "
          "lsm_list_modules lsm_set_self_attr seccomp"},
    // The processor's own: segments and, on 32-bit ARM, what it lacks instructions for. Wine needs
    // modify_ldt(2).
    Group{
        "arch_prctl arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush modify_ldt set_tls "
        "sync_file_range2"},
    // Only the kernel's own trampolines may call these, when the host traces a program that happens
    // to run in a guest: refusing would kill it.
    Group{"uprobe uretprobe"},
    Group{"getrandom oldolduname olduname uname"},
};

constexpr std::array kMounting = {
    // Both mount APIs: a mount made here carries the user namespace of its maker, and only file
    // systems marked FS_USERNS_MOUNT can be made inside one.
    Group{"fsconfig fsmount fsopen fspick listmount mount mount_setattr move_mount open_tree "
          "open_tree_attr pivot_root statmount umount umount2"},
    // New namespaces count against the ucounts of the guest's user namespace.
    Group{"clone3 setns unshare"},
    // Of the UTS namespace.
    Group{"setdomainname sethostname"},
    // Unprivileged groups since Linux 5.13; the rest asks for the host's CAP_SYS_ADMIN.
    Group{"fanotify_init"},
};

constexpr std::array kMachine = {
    // In a pid namespace reboot(2) ends its init and nothing else: how sysvinit, openrc and runit
    // tell us that they have finished.
    Group{"reboot"},
    // systemd gives each unit a session keyring. Keyrings belong to the user namespace, their quota
    // to the uid, and a machine's uids are its own.
    Group{"add_key keyctl request_key"},
    // getty and systemd hang up a terminal before they hand it to somebody.
    Group{"vhangup"},
    // Where memory comes from: within the guest's cpuset. A command has no business there.
    Group{"get_mempolicy mbind migrate_pages move_pages set_mempolicy set_mempolicy_home_node"},
};

constexpr std::array kNesting = {
    // Opens by handle, whatever directories would forbid. Storage drivers of container engines and
    // backup programs use it; the kernel asks for CAP_DAC_READ_SEARCH over the file system.
    Group{"open_by_handle_at"},
};

constexpr std::array kRefused = {
    // The kernel's code: modules, another kernel, programs inside it.
    Group{"bpf create_module delete_module finit_module init_module kexec_file_load kexec_load"},
    // Hardware.
    Group{"ioperm iopl pciconfig_iobase pciconfig_read pciconfig_write vm86 vm86old"},
    // The host's clock: not namespaced, except as offsets chosen at start.
    Group{"clock_settime clock_settime64 settimeofday stime"},
    // The host's log, accounting, swap, quota.
    Group{"acct lookup_dcookie quotactl quotactl_fd swapoff swapon syslog"},
    // Counters and traces that show the host and the neighbours.
    Group{"perf_event_open"},
    // Stops a kernel thread at a page of the caller's choice: a favourite of exploits.
    Group{"userfaultfd"},
    // Large, young and outside this filter: what a ring does is never seen here. EPERM is the
    // answer
    // of kernel.io_uring_disabled too, which programs know.
    Group{"io_uring_enter io_uring_register io_uring_setup"},
};

constexpr std::array kAbsent = {
    Group{"_sysctl afs_syscall bdflush break epoll_ctl_old epoll_wait_old ftime get_kernel_syms "
          "getpmsg gtty idle lock mpx nfsservctl prof profil putpmsg query_module security stty "
          "sysfs "
          "tuxcall ulimit uselib vserver"},
};

constexpr std::array kNumbers = {
    Numbered{"uretprobe", 335},         Numbered{"uprobe", 336},
    Numbered{"cachestat", 451},         Numbered{"fchmodat2", 452},
    Numbered{"map_shadow_stack", 453},  Numbered{"futex_wake", 454},
    Numbered{"futex_wait", 455},        Numbered{"futex_requeue", 456},
    Numbered{"statmount", 457},         Numbered{"listmount", 458},
    Numbered{"lsm_get_self_attr", 459}, Numbered{"lsm_set_self_attr", 460},
    Numbered{"lsm_list_modules", 461},  Numbered{"mseal", 462},
    Numbered{"setxattrat", 463},        Numbered{"getxattrat", 464},
    Numbered{"listxattrat", 465},       Numbered{"removexattrat", 466},
    Numbered{"open_tree_attr", 467},    Numbered{"file_getattr", 468},
    Numbered{"file_setattr", 469},
};

}  // namespace

std::span<const Group> common() {
    return kCommon;
}

std::span<const Group> mounting() {
    return kMounting;
}

std::span<const Group> machine() {
    return kMachine;
}

std::span<const Group> nesting() {
    return kNesting;
}

std::span<const Group> refused() {
    return kRefused;
}

std::span<const Group> absent() {
    return kAbsent;
}

std::span<const Numbered> numbers() {
    return kNumbers;
}

}  // namespace warren::isolation::lists
