#include "isolation/seccomp.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include <linux/audit.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <seccomp.h>

#include "isolation/seccomp_lists.hpp"
#include "tests/unit/isolation/bpf_interpreter.hpp"

namespace {

using namespace warren;
using isolation::SeccompConfig;
using isolation::SeccompProfile;

constexpr std::uint32_t kEperm = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kEnosys = SECCOMP_RET_ERRNO | ENOSYS;
constexpr std::uint32_t kUnsupportedFamily = SECCOMP_RET_ERRNO | EAFNOSUPPORT;

class Filter {
public:
    explicit Filter(const SeccompConfig& config) {
        auto program = isolation::compile_seccomp(config);
        REQUIRE_MESSAGE(program.has_value(), program.error().describe());
        program_ = std::move(program).value();
    }

    [[nodiscard]] std::uint32_t at(std::uint32_t arch,
                                   int number,
                                   std::array<std::uint64_t, 6> args = {}) const {
        seccomp_data data{};
        data.nr = number;
        data.arch = arch;
        for (std::size_t i = 0; i < args.size(); ++i) {
            data.args[i] = args[i];
        }
        const auto answer = test::run_bpf(program_.instructions, data);
        REQUIRE(answer.has_value());
        return *answer;
    }

    [[nodiscard]] std::uint32_t native(const char* name,
                                       std::array<std::uint64_t, 6> args = {}) const {
        const int number = seccomp_syscall_resolve_name(name);
        REQUIRE_MESSAGE(number >= 0, name);
        return at(seccomp_arch_native(), number, args);
    }

    [[nodiscard]] const isolation::SeccompProgram& program() const { return program_; }

private:
    isolation::SeccompProgram program_;
};

Filter machine(bool nesting = false) {
    return Filter({.profile = SeccompProfile::Machine, .nesting = nesting});
}

Filter command(std::uint64_t capabilities = 0) {
    return Filter({.profile = SeccompProfile::Command, .capabilities = capabilities});
}

// Each name of the lists and how often it stands there.
std::map<std::string, int> listed_names() {
    std::map<std::string, int> names;
    for (const auto& groups : {isolation::lists::common(),
                               isolation::lists::mounting(),
                               isolation::lists::machine(),
                               isolation::lists::nesting(),
                               isolation::lists::refused(),
                               isolation::lists::absent()}) {
        for (const auto& group : groups) {
            std::istringstream words{std::string(group.names)};
            for (std::string name; words >> name;) {
                ++names[name];
            }
        }
    }
    // By their arguments.
    for (const char* name : {"clone", "personality", "socket"}) {
        ++names[name];
    }
    return names;
}

}  // namespace

TEST_CASE("every system call that libseccomp knows stands in exactly one list") {
    const auto names = listed_names();
    for (const auto& entry : names) {
        CHECK_MESSAGE(entry.second == 1, entry.first);
    }
    for (const std::uint32_t arch :
         std::array<std::uint32_t, 3>{SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_AARCH64}) {
        for (int number = 0; number < 600; ++number) {
            const std::unique_ptr<char, void (*)(void*)> name(
                seccomp_syscall_resolve_num_arch(arch, number), std::free);
            if (name) {
                CHECK_MESSAGE(names.count(name.get()) == 1, name.get());
            }
        }
    }
}

TEST_CASE("the numbers we know agree with libseccomp's where it has them") {
    for (const auto& entry : isolation::lists::numbers()) {
        const int number =
            seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, std::string(entry.name).c_str());
        if (number >= 0) {
            CHECK_MESSAGE(number == entry.number, entry.name);
        }
    }
}

TEST_CASE("both profiles allow a plain program") {
    for (const Filter& filter : {machine(), command()}) {
        for (const char* name : {"read",      "openat",         "mmap",      "execve", "futex",
                                 "kill",      "ptrace",         "mknodat",   "chroot", "prctl",
                                 "seccomp",   "fchmodat2",      "setxattr",  "wait4",  "exit_group",
                                 "getrandom", "timerfd_create", "signalfd4", "rseq",   "statx"}) {
            CHECK_MESSAGE(filter.native(name) == SECCOMP_RET_ALLOW, name);
        }
    }
}

TEST_CASE("both profiles refuse the kernel's own and the host's") {
    for (const Filter& filter : {machine(), command(), machine(true), command(~std::uint64_t{0})}) {
        for (const char* name : {"bpf",
                                 "init_module",
                                 "finit_module",
                                 "delete_module",
                                 "kexec_load",
                                 "kexec_file_load",
                                 "swapon",
                                 "swapoff",
                                 "acct",
                                 "syslog",
                                 "settimeofday",
                                 "clock_settime",
                                 "quotactl",
                                 "perf_event_open",
                                 "userfaultfd",
                                 "io_uring_setup",
                                 "io_uring_enter",
                                 "lookup_dcookie"}) {
            CHECK_MESSAGE(filter.native(name) == kEperm, name);
        }
        CHECK(filter.native("nfsservctl") == kEnosys);
    }
}

TEST_CASE("mounts, namespaces and an init's calls are for machines") {
    const Filter full = machine();
    const Filter plain = command();
    for (const char* name : {"mount",
                             "umount2",
                             "pivot_root",
                             "fsopen",
                             "fsconfig",
                             "fsmount",
                             "move_mount",
                             "open_tree",
                             "mount_setattr",
                             "unshare",
                             "setns",
                             "sethostname",
                             "fanotify_init",
                             "reboot",
                             "keyctl",
                             "add_key",
                             "request_key",
                             "vhangup",
                             "mbind"}) {
        CHECK_MESSAGE(full.native(name) == SECCOMP_RET_ALLOW, name);
        CHECK_MESSAGE(plain.native(name) == kEperm, name);
    }
    CHECK(full.native("name_to_handle_at") == SECCOMP_RET_ALLOW);
    CHECK(full.native("open_by_handle_at") == kEperm);
    CHECK(machine(true).native("open_by_handle_at") == SECCOMP_RET_ALLOW);
}

TEST_CASE("CAP_SYS_ADMIN opens mounts and namespaces to a command, and no more") {
    const Filter filter = command(std::uint64_t{1} << CAP_SYS_ADMIN);
    CHECK(filter.native("mount") == SECCOMP_RET_ALLOW);
    CHECK(filter.native("clone3") == SECCOMP_RET_ALLOW);
    CHECK(filter.native("clone", {CLONE_NEWNS}) == SECCOMP_RET_ALLOW);
    CHECK(filter.native("reboot") == kEperm);
    CHECK(filter.native("keyctl") == kEperm);
}

TEST_CASE("a command's clone makes threads and forks but no namespace") {
    const Filter filter = command();
    CHECK(filter.native("clone", {SIGCHLD}) == SECCOMP_RET_ALLOW);
    CHECK(filter.native("clone", {CLONE_VM | CLONE_VFORK | SIGCHLD}) == SECCOMP_RET_ALLOW);
    for (const int name : {CLONE_NEWNS,
                           CLONE_NEWCGROUP,
                           CLONE_NEWUTS,
                           CLONE_NEWIPC,
                           CLONE_NEWUSER,
                           CLONE_NEWPID,
                           CLONE_NEWNET}) {
        const auto flag = static_cast<std::uint64_t>(name);
        CHECK(filter.native("clone", {flag | SIGCHLD}) == kEperm);
        CHECK(filter.native("clone", {flag | CLONE_VM | (std::uint64_t{1} << 40U)}) == kEperm);
    }
    CHECK(filter.native("clone3") == kEnosys);
    CHECK(machine().native("clone", {CLONE_NEWUSER}) == SECCOMP_RET_ALLOW);
    CHECK(machine().native("clone3") == SECCOMP_RET_ALLOW);
}

TEST_CASE("sockets by family") {
    for (const Filter& filter : {machine(), command()}) {
        for (const int name : {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET}) {
            const auto family = static_cast<std::uint64_t>(name);
            CHECK(filter.native("socket", {family, SOCK_STREAM, 0}) == SECCOMP_RET_ALLOW);
            // The kernel does not look at the upper half.
            CHECK(filter.native("socket", {family | (std::uint64_t{7} << 32U)}) ==
                  SECCOMP_RET_ALLOW);
        }
        for (std::uint64_t family = 0; family < 64; ++family) {
            const auto answer = filter.native("socket", {family, SOCK_STREAM, 0});
            CHECK((answer == SECCOMP_RET_ALLOW || answer == kUnsupportedFamily));
            CHECK(answer == filter.native("socket", {family | (std::uint64_t{1} << 32U)}));
        }
        CHECK(filter.native("socket", {AF_VSOCK, SOCK_STREAM, 0}) == kUnsupportedFamily);
        CHECK(filter.native("socket", {AF_ALG, SOCK_SEQPACKET, 0}) == kUnsupportedFamily);
        CHECK(filter.native("socket", {AF_NETLINK, SOCK_RAW, 9}) == kUnsupportedFamily);
        CHECK(filter.native("socket", {AF_NETLINK, SOCK_RAW, 15}) == SECCOMP_RET_ALLOW);
        CHECK(filter.native("socket", {200}) == kEperm);
    }
}

TEST_CASE("personality takes Linux only") {
    for (const Filter& filter : {machine(), command()}) {
        for (const std::uint64_t value : {std::uint64_t{PER_LINUX},
                                          std::uint64_t{PER_LINUX32},
                                          std::uint64_t{ADDR_NO_RANDOMIZE},
                                          std::uint64_t{0xffffffff},
                                          ~std::uint64_t{0}}) {
            CHECK(filter.native("personality", {value}) == SECCOMP_RET_ALLOW);
        }
        CHECK(filter.native("personality", {PER_BSD}) == kEperm);
        CHECK(filter.native("personality", {READ_IMPLIES_EXEC}) == kEperm);
        CHECK(filter.native("personality", {MMAP_PAGE_ZERO}) == kEperm);
    }
}

TEST_CASE("calls younger than the lists answer ENOSYS") {
    for (const Filter& filter : {machine(), command()}) {
        for (const int number : {500, 600, 4095, -1}) {
            CHECK(filter.at(seccomp_arch_native(), number) == kEnosys);
        }
    }
}

#if defined(__x86_64__)
TEST_CASE("32-bit programs by the same lists, x32 and foreign instruction sets not at all") {
    const auto number = [](const char* name) {
        return seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, name);
    };
    // The library only knows the call's pseudo number here, since it may come through
    // socketcall(2).
    constexpr int kSocket = 359;
    const Filter full = machine();
    const Filter plain = command();
    for (const char* name : {"read",
                             "open",
                             "mmap2",
                             "waitpid",
                             "socketcall",
                             "ipc",
                             "clock_gettime64",
                             "set_thread_area"}) {
        CHECK_MESSAGE(full.at(AUDIT_ARCH_I386, number(name)) == SECCOMP_RET_ALLOW, name);
        CHECK_MESSAGE(plain.at(AUDIT_ARCH_I386, number(name)) == SECCOMP_RET_ALLOW, name);
    }
    CHECK(full.at(AUDIT_ARCH_I386, number("mount")) == SECCOMP_RET_ALLOW);
    CHECK(plain.at(AUDIT_ARCH_I386, number("mount")) == kEperm);
    CHECK(plain.at(AUDIT_ARCH_I386, number("clone"), {CLONE_NEWUSER}) == kEperm);
    CHECK(plain.at(AUDIT_ARCH_I386, kSocket, {AF_VSOCK}) == kUnsupportedFamily);
    CHECK(plain.at(AUDIT_ARCH_I386, kSocket, {AF_INET}) == SECCOMP_RET_ALLOW);
    CHECK(full.at(AUDIT_ARCH_I386, number("bpf")) == kEperm);
    CHECK(full.at(AUDIT_ARCH_I386, number("vm86")) == kEperm);
    CHECK(full.at(AUDIT_ARCH_I386, 500) == kEnosys);
    constexpr int kX32 = 0x40000000;
    for (const int call : {0, 1, 59, 321, 520}) {
        CHECK(full.at(AUDIT_ARCH_X86_64, kX32 | call) == kEnosys);
    }
    CHECK(full.at(AUDIT_ARCH_AARCH64, 63) == kEnosys);
}
#endif

TEST_CASE("programs fit the kernel's limit and are the same each time") {
    for (const bool nesting : {false, true}) {
        const Filter once = machine(nesting);
        CHECK(once.program().instructions.size() < BPF_MAXINSNS / 2);
        const Filter again = machine(nesting);
        REQUIRE(once.program().instructions.size() == again.program().instructions.size());
        CHECK(std::memcmp(once.program().instructions.data(),
                          again.program().instructions.data(),
                          once.program().instructions.size() * sizeof(sock_filter)) == 0);
    }
    CHECK(Filter({.profile = SeccompProfile::Unconfined}).program().instructions.empty());
}

namespace {

// Runs `body` in a child under the filter; its exit code.
int run_filtered(const isolation::SeccompProgram& program, const std::function<int()>& body) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        sock_fprog filter{};
        filter.len = static_cast<unsigned short>(program.instructions.size());
        filter.filter = const_cast<sock_filter*>(program.instructions.data());
        if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
            ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0) {
            ::_exit(99);
        }
        ::_exit(body());
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int answer_of(long result) {
    return result < 0 ? errno : 0;
}

}  // namespace

TEST_CASE("the kernel takes the programs and gives the same answers") {
    const Filter plain = command();
    CHECK(run_filtered(plain.program(), [] { return answer_of(::unshare(CLONE_NEWUTS)); }) ==
          EPERM);
    CHECK(run_filtered(plain.program(),
                       [] { return answer_of(::syscall(SYS_clone3, nullptr, 0)); }) == ENOSYS);
    CHECK(run_filtered(plain.program(),
                       [] { return answer_of(::syscall(SYS_bpf, 0, nullptr, 0)); }) == EPERM);
    CHECK(run_filtered(plain.program(), [] {
              return answer_of(::socket(AF_VSOCK, SOCK_STREAM, 0));
          }) == EAFNOSUPPORT);
    CHECK(run_filtered(plain.program(),
                       [] { return answer_of(::socket(AF_UNIX, SOCK_STREAM, 0)); }) == 0);
    CHECK(run_filtered(plain.program(), [] { return answer_of(::syscall(600)); }) == ENOSYS);
    // A thread of execution still comes and goes.
    CHECK(run_filtered(plain.program(), [] {
              const pid_t child = ::fork();
              if (child == 0) {
                  ::_exit(0);
              }
              int status = 0;
              return child > 0 && ::waitpid(child, &status, 0) == child ? 0 : 1;
          }) == 0);
    // Past the filter the kernel itself answers: EINVAL, for want of arguments.
    CHECK(run_filtered(machine().program(),
                       [] { return answer_of(::syscall(SYS_clone3, nullptr, 0)); }) == EINVAL);
}
