// A filter whose calls somebody else answers. From its loading on any call of ours may block until that somebody
// has the listener, the sending of it included: a thread that the filter does not reach sends it, and this thread makes
// no call at all until that is done.
#include <csignal>
#include <ctime>

#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>

#include "isolation/child/clone.hpp"
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

void relax() {
#if defined(__x86_64__)
    __asm__ volatile("pause");
#else
    __asm__ volatile("yield");
#endif
}

void run_relay(void* argument) {
    auto* relay = static_cast<Relay*>(argument);
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
    const long thread = clone_on_stack(args, run_relay, &relay);
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
