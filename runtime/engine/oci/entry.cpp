// Where warren-oci starts: before the C library has set itself up, which takes as long as an exec does (it asks the processor
// what it is, and each question traps in a virtual machine). What seals itself (isolation/sealed_program.hpp) starts
// twice, so the first time should end here. Nothing depends on it: whatever is not plain is left to seal_unless().
//
// Of the program nothing works yet but its code: no relocation is applied, no libc function can be called, there is no
// thread-local storage. Arguments are only looked at as far as they say which bundle or container is meant; taking them for what they
// are not costs an exec, or saves none.
#include <cstddef>
#include <cstdint>

#include <fcntl.h>
#include <sys/stat.h>

#include "isolation/child/seal_calls.hpp"
#include "runtime/engine/oci/user_namespace_search.hpp"

#if defined(__x86_64__)
// What the kernel, or a dynamic loader, left in rdx and on the stack is _start's.
__asm__(
    ".pushsection .text\n"
    ".globl warren_oci_entry\n"
    ".type warren_oci_entry, @function\n"
    "warren_oci_entry:\n\t"
    "mov %rsp, %rdi\n\t"
    "push %rdx\n\t"
    "push %rdx\n\t"
    "call warren_oci_before_libc\n\t"
    "pop %rdx\n\t"
    "pop %rdx\n\t"
    "jmp _start\n"
    ".size warren_oci_entry, . - warren_oci_entry\n"
    ".popsection\n");
#elif defined(__aarch64__)
__asm__(
    ".pushsection .text\n"
    ".globl warren_oci_entry\n"
    ".type warren_oci_entry, %function\n"
    "warren_oci_entry:\n\t"
    "mov x19, x0\n\t"
    "mov x0, sp\n\t"
    "bl warren_oci_before_libc\n\t"
    "mov x0, x19\n\t"
    "b _start\n"
    ".size warren_oci_entry, . - warren_oci_entry\n"
    ".popsection\n");
#else
#error "the entry is not written for this architecture"
#endif

namespace warren::engine::oci {

namespace {

using isolation::child::descriptor;
using isolation::child::sys;

constexpr std::size_t kMaxConfig = 4U << 20;
// Of the user namespace that the kernel starts with (PROC_USER_INIT_INO).
constexpr ino_t kFirstUserNamespace = 0xeffffffd;

// What follows `start` in `text`; null when it does not begin so.
const char* after(const char* text, const char* start) {
    while (*start != '\0' && *text == *start) {
        ++text;
        ++start;
    }
    return *start == '\0' ? text : nullptr;
}

bool is(const char* text, const char* word) {
    const char* rest = after(text, word);
    return rest != nullptr && *rest == '\0';
}

// Null when no container is to be made.
const char* find_bundle(char* const* words) {
    while (*words != nullptr && !is(*words, "create") && !is(*words, "run")) {
        ++words;
    }
    if (*words == nullptr) {
        return nullptr;
    }
    for (++words; *words != nullptr; ++words) {
        if (is(*words, "-b") || is(*words, "--bundle")) {
            return words[1];
        }
        if (const char* bundle = after(*words, "--bundle=")) {
            return bundle;
        }
    }
    return ".";
}

bool may_name_user_namespace(const char* bundle) {
    const int dir = descriptor(SYS_openat, AT_FDCWD, bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
    constexpr int kFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    const int file = descriptor(SYS_openat, dir, "config.json", kFlags);
    (void)sys(SYS_close, dir);
    if (file < 0) {
        return true;
    }
    UserNamespaceSearch search;
    char block[16384];
    long got = 0;
    for (std::size_t size = 0; !search.found() && size <= kMaxConfig;
         size += static_cast<std::size_t>(got)) {
        got = sys(SYS_read, file, block, sizeof(block));
        if (got <= 0) {
            break;
        }
        search.feed(block, static_cast<std::size_t>(got));
    }
    (void)sys(SYS_close, file);
    return got != 0 || search.found();
}

// Whether the file of a record says so; as state::oci writes it.
bool says_no_user_namespace(int record) {
    constexpr int kMaxBlocks = 16;
    const char* const wanted = "\"user_namespace\": false";
    const char* next = wanted;
    char block[4096];
    for (int i = 0; i < kMaxBlocks && *next != '\0'; ++i) {
        const long got = sys(SYS_read, record, block, sizeof(block));
        for (long at = 0; at < got && *next != '\0'; ++at) {
            // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): the kernel fills it.
            next = block[at] == *next ? next + 1 : wanted + (block[at] == *wanted ? 1 : 0);
        }
        if (got <= 0) {
            break;
        }
    }
    return *next == '\0';
}

// `exec`: the first word after it that is a container's name.
bool enters_plain_container(char* const* words) {
    const char* root = "/run/warren-oci";
    for (; *words != nullptr && !is(*words, "exec"); ++words) {
        if (const char* named = after(*words, "--root=")) {
            root = named;
        } else if (is(*words, "--root") && words[1] != nullptr) {
            root = *++words;
        }
    }
    if (*words == nullptr) {
        return false;
    }
    constexpr int kFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC;
    const int containers = descriptor(SYS_openat, AT_FDCWD, root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool plain = false;
    for (int record = -1; record < 0 && *++words != nullptr;) {
        const int container =
            descriptor(SYS_openat, containers, *words, O_PATH | O_DIRECTORY | O_CLOEXEC);
        record = descriptor(SYS_openat, container, "state.json", kFlags);
        (void)sys(SYS_close, container);
        if (record >= 0) {
            plain = says_no_user_namespace(record);
            (void)sys(SYS_close, record);
        }
    }
    (void)sys(SYS_close, containers);
    return plain;
}

// Who may not, or need not: is_rootless().
bool is_host_root() {
    struct stat status;

    return sys(SYS_geteuid) == 0 &&
           sys(SYS_newfstatat, AT_FDCWD, "/proc/self/ns/user", &status, 0) == 0 &&
           // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): the kernel fills it.
           status.st_ino == kFirstUserNamespace;
}

}  // namespace

// `stack`: argc, argv, null, environment, null.
extern "C" [[gnu::used, gnu::visibility("hidden")]] void warren_oci_before_libc(char** stack);

void warren_oci_before_libc(char** stack) {
    const auto argc = reinterpret_cast<std::uintptr_t>(stack[0]);
    char** const argv = stack + 1;
    if (argc < 2) {
        return;
    }
    const char* const bundle = find_bundle(argv + 1);
    const bool plain = bundle != nullptr ? is_host_root() && !may_name_user_namespace(bundle)
                                         : enters_plain_container(argv + 1) && is_host_root();
    if (!plain || isolation::child::runs_sealed()) {
        return;
    }
    (void)isolation::child::exec_sealed(argv, argv + argc + 1);
}

}  // namespace warren::engine::oci
