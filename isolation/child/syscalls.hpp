// System calls for the child, without libc: the result or a negative errno, nothing in between. After clone3(2)
// without CLONE_VM no wrapper that keeps state (pid caches, locks, errno, buffers) needs to run.
#pragma once

#include <cstdint>
#include <type_traits>

#include <errno.h>
#include <sys/syscall.h>

namespace warren::isolation::child {

#if defined(__x86_64__)
inline long raw_syscall(long number, long a, long b, long c, long d, long e, long f) {
    long result = 0;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
inline long raw_syscall(long number, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}
#else
#error "the child's system calls are not written for this architecture"
#endif

template <typename T>
inline long to_register(T value) {
    if constexpr (std::is_pointer_v<T>) {
        return reinterpret_cast<long>(value);
    } else if constexpr (std::is_null_pointer_v<T>) {
        return 0;
    } else {
        return static_cast<long>(value);
    }
}

template <typename... Args>
inline long sys(long number, Args... args) {
    static_assert(sizeof...(Args) <= 6);
    const long all[6] = {to_register(args)...};
    return raw_syscall(number, all[0], all[1], all[2], all[3], all[4], all[5]);
}

// For calls whose answer is "done" or an errno.
template <typename... Args>
inline int status(long number, Args... args) {
    const long result = sys(number, args...);
    return result < 0 ? static_cast<int>(result) : 0;
}

// For calls that answer with a descriptor.
template <typename... Args>
inline int descriptor(long number, Args... args) {
    return static_cast<int>(sys(number, args...));
}

}  // namespace warren::isolation::child
