// A filter whose calls somebody else answers. From its loading on any call of ours may block until that somebody
// has the listener, the sending of it included: a thread that the filter does not reach sends it, and this thread makes
// no call at all until that is done.
#include <csignal>
#include <ctime>

#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>

#include "isolation/child/ops.hpp"
#include "isolation/child/syscalls.hpp"

namespace warren::isolation::child {

namespace {

constexpr int kPending = -1'000'000;
constexpr std::size_t kStackSize = 16384;

struct Relay {
    const Context* context;
    int listener;  // kPending, or what seccomp(2) answered
    int result;    // of the sending
    int thread;    // 0 once the thread has gone: the kernel clears it
};

// clone3(2) with a stack of its own, where `entry` runs and does not return. The thread's id or a negative errno.
#if defined(__x86_64__)
long clone_thread(const clone_args& args, void (*entry)(Relay*), Relay* relay) {
    long result = SYS_clone3;
    register auto r12 __asm__("r12") = entry;
    register auto* r13 __asm__("r13") = relay;
    __asm__ volatile(
        "syscall\n\t"
        "test %%rax, %%rax\n\t"
        "jnz 1f\n\t"
        "xor %%ebp, %%ebp\n\t"
        "mov %%r13, %%rdi\n\t"
        "call *%%r12\n\t"
        "ud2\n"
        "1:"
        : "+a"(result)
        : "D"(&args), "S"(sizeof(args)), "r"(r12), "r"(r13)
        : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
long clone_thread(const clone_args& args, void (*entry)(Relay*), Relay* relay) {
    register long x8 __asm__("x8") = SYS_clone3;
    register long x0 __asm__("x0") = to_register(&args);
    register long x1 __asm__("x1") = sizeof(args);
    register auto x19 __asm__("x19") = entry;
    register auto* x20 __asm__("x20") = relay;
    __asm__ volatile(
        "svc 0\n\t"
        "cbnz x0, 1f\n\t"
        "mov x29, xzr\n\t"
        "mov x0, x20\n\t"
        "blr x19\n\t"
        "brk #0\n"
        "1:"
        : "+r"(x0)
        : "r"(x8), "r"(x1), "r"(x19), "r"(x20)
        : "memory");
    return x0;
}
#endif

void relax() {
#if defined(__x86_64__)
    __asm__ volatile("pause");
#else
    __asm__ volatile("yield");
#endif
}

void run_relay(Relay* relay) {
    int listener = kPending;
    while ((listener = __atomic_load_n(&relay->listener, __ATOMIC_ACQUIRE)) == kPending) {
        const timespec moment{0, 20'000};
        (void)sys(SYS_nanosleep, &moment, nullptr);
    }
    if (listener >= 0) {
        const Report report{kReportMagic, ReportKind::Listener, relay->context->step, 0, 0, 0};
        relay->result = send_report(*relay->context, report, listener);
    }
    for (;;) {
        (void)sys(SYS_exit, 0);
    }
}

}  // namespace

// LoadListener: as LoadSeccomp, b with SECCOMP_FILTER_FLAG_NEW_LISTENER.
int load_listener(const Context& context, const Step& step) {
    alignas(16) unsigned char stack[kStackSize];
    Relay relay{&context, kPending, 0, 0};
    clone_args args{};
    args.flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                 CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
    args.stack = reinterpret_cast<std::uintptr_t>(stack);
    args.stack_size = sizeof(stack);
    args.parent_tid = reinterpret_cast<std::uintptr_t>(&relay.thread);
    args.child_tid = reinterpret_cast<std::uintptr_t>(&relay.thread);
    const long thread = clone_thread(args, run_relay, &relay);
    if (thread < 0) {
        return static_cast<int>(thread);
    }
    sock_fprog program{};
    program.len = static_cast<unsigned short>(step.a);
    program.filter = const_cast<sock_filter*>(static_cast<const sock_filter*>(step.data));
    const int listener = descriptor(SYS_seccomp, SECCOMP_SET_MODE_FILTER, step.b, &program);
    __atomic_store_n(&relay.listener, listener, __ATOMIC_RELEASE);
    while (__atomic_load_n(&relay.thread, __ATOMIC_ACQUIRE) != 0) {
        relax();
    }
    return listener < 0 ? listener : relay.result;
}

}  // namespace warren::isolation::child
