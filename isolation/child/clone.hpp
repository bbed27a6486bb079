// clone3(2) for a child or a thread that runs on a stack of its own in the memory of its parent (CLONE_VM): no page table
// is copied, and no page is copied on the first write of either. It walks beside the parent, so it may touch only what
// the parent leaves alone until the program runs: its stack, its Context, and what the recipe points to.
#pragma once

#include <linux/sched.h>

#include "isolation/child/syscalls.hpp"

namespace warren::isolation::child {

#if defined(__x86_64__)
// In the child: `entry(argument)` on the stack that `args` name; it does not return. In the parent: the pid or a
// negative errno.
inline long clone_on_stack(const clone_args& args, void (*entry)(void*), void* argument) {
    long result = SYS_clone3;
    register auto* called __asm__("r8") = entry;
    register void* given __asm__("r9") = argument;
    __asm__ volatile(
        "syscall\n\t"
        "test %%rax, %%rax\n\t"
        "jnz 1f\n\t"
        "xor %%ebp, %%ebp\n\t"
        "mov %%r9, %%rdi\n\t"
        "call *%%r8\n\t"
        "ud2\n"
        "1:"
        : "+a"(result)
        : "D"(&args), "S"(sizeof(args)), "r"(called), "r"(given)
        : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
inline long clone_on_stack(const clone_args& args, void (*entry)(void*), void* argument) {
    register long number __asm__("x8") = SYS_clone3;
    register long x0 __asm__("x0") = reinterpret_cast<long>(&args);
    register long x1 __asm__("x1") = sizeof(args);
    register auto* called __asm__("x9") = entry;
    register void* given __asm__("x10") = argument;
    __asm__ volatile(
        "svc 0\n\t"
        "cbnz x0, 1f\n\t"
        "mov x29, xzr\n\t"
        "mov x0, x10\n\t"
        "blr x9\n\t"
        "brk 1\n"
        "1:"
        : "+r"(x0)
        : "r"(number), "r"(x1), "r"(called), "r"(given)
        : "memory");
    return x0;
}
#else
#error "the child's clone is not written for this architecture"
#endif

}  // namespace warren::isolation::child
