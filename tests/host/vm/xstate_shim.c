// Preloaded into User-mode Linux. Its kernel 6.1 keeps 2696 bytes for a task's extended processor state
// (NT_X86_XSTATE). On CPUs whose state is larger (AMX tiles), the machine's kernel refuses a
// PTRACE_SETREGSET of that size with EFAULT, and User-mode Linux ends. This wraps ptrace so that the whole
// state is passed, and only what User-mode Linux knows of it is shown to it.
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <stdarg.h>

enum { kXstateNote = 0x202, kHeaderOffset = 512 };

// XSTATE_BV bits of the tile configuration and the tiles.
static const unsigned long kTileBits = 3UL << 17;

static char state[65536] __attribute__((aligned(64)));
static size_t state_size;

static long read_state(long pid) {
    struct iovec whole = {state, sizeof state};
    long result = syscall(SYS_ptrace, PTRACE_GETREGSET, pid, kXstateNote, &whole);
    if (result >= 0) {
        state_size = whole.iov_len;
    }
    return result;
}

static long get_xstate(long pid, struct iovec* asked) {
    long result = read_state(pid);
    if (result < 0) {
        return result;
    }
    if (asked->iov_len > state_size) {
        asked->iov_len = state_size;
    }
    memcpy(asked->iov_base, state, asked->iov_len);
    return 0;
}

static long set_xstate(long pid, const struct iovec* given) {
    if (state_size == 0) {
        long result = read_state(pid);
        if (result < 0) {
            return result;
        }
    }
    size_t known = given->iov_len < state_size ? given->iov_len : state_size;
    memset(state, 0, state_size);
    memcpy(state, given->iov_base, known);
    if (given->iov_len < state_size) {
        unsigned long present;
        memcpy(&present, state + kHeaderOffset, sizeof present);
        present &= ~kTileBits;
        memcpy(state + kHeaderOffset, &present, sizeof present);
    }
    struct iovec whole = {state, state_size};
    return syscall(SYS_ptrace, PTRACE_SETREGSET, pid, kXstateNote, &whole);
}

long ptrace(enum __ptrace_request request, ...) {
    va_list arguments;
    va_start(arguments, request);
    long pid = va_arg(arguments, int);
    void* address = va_arg(arguments, void*);
    void* data = va_arg(arguments, void*);
    va_end(arguments);
    switch (request) {
        case PTRACE_PEEKTEXT:
        case PTRACE_PEEKDATA:
        case PTRACE_PEEKUSER: {
            // The system call stores the word; the library function returns it.
            long word;
            long result = syscall(SYS_ptrace, request, pid, address, &word);
            if (result < 0) {
                return result;
            }
            errno = 0;
            return word;
        }
        case PTRACE_GETREGSET:
            if ((long)address == kXstateNote) {
                return get_xstate(pid, data);
            }
            break;
        case PTRACE_SETREGSET:
            if ((long)address == kXstateNote) {
                return set_xstate(pid, data);
            }
            break;
        default:
            break;
    }
    return syscall(SYS_ptrace, request, pid, address, data);
}
