// linux.seccomp of the OCI runtime specification: untrusted text, and real filters.
#include "isolation/seccomp_oci.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <seccomp.h>

#include "base/fd.hpp"
#include "base/json.hpp"
#include "isolation/seccomp.hpp"
#include "tests/unit/isolation/bpf_interpreter.hpp"

namespace {

using namespace warren;
using isolation::SeccompConfig;
using isolation::SeccompProfile;
using isolation::SeccompProgram;

SeccompConfig oci(std::string text) {
    return {.profile = SeccompProfile::Oci, .file_text = std::move(text)};
}

SeccompProgram compiled(std::string text) {
    auto program = isolation::compile_seccomp(oci(std::move(text)));
    REQUIRE_MESSAGE(program.has_value(), program.error().describe());
    return std::move(program).value();
}

std::uint32_t answer_at(const SeccompProgram& program,
                        std::uint32_t arch,
                        int number,
                        std::array<std::uint64_t, 6> args = {}) {
    seccomp_data data{};
    data.nr = number;
    data.arch = arch;
    for (std::size_t i = 0; i < args.size(); ++i) {
        data.args[i] = args[i];
    }
    const auto result = test::run_bpf(program.instructions, data);
    REQUIRE(result.has_value());
    return *result;
}

std::uint32_t verdict(const SeccompProgram& program,
                      const char* name,
                      std::array<std::uint64_t, 6> args = {}) {
    return answer_at(program, seccomp_arch_native(), seccomp_syscall_resolve_name(name), args);
}

std::string problems_of(const std::string& text) {
    const auto checked = isolation::check_seccomp_oci(text);
    REQUIRE(!checked);
    CHECK(checked.error().kind() == base::ErrorKind::Usage);
    CHECK(checked.error().place().starts_with("/linux/seccomp"));
    CHECK(!isolation::compile_seccomp(oci(text)).has_value());
    return checked.error().describe();
}

bool holds(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

// One rule for "getpid" beside a default that lets everything through.
std::string one(const std::string& rule, const std::string& rest = "") {
    return R"({"defaultAction": "SCMP_ACT_ALLOW", )" + rest +
           R"("syscalls": [{"names": ["getpid"], )" + rule + "}]}";
}

constexpr std::uint32_t kErrnoPerm = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kErrnoNosys = SECCOMP_RET_ERRNO | ENOSYS;

}  // namespace

TEST_CASE("every action of the specification") {
    CHECK(verdict(compiled(one(R"("action": "SCMP_ACT_ERRNO")")), "getpid") == kErrnoPerm);
    CHECK(verdict(compiled(one(R"("action": "SCMP_ACT_ERRNO", "errnoRet": 38)")), "getpid") ==
          kErrnoNosys);
    CHECK(verdict(compiled(one(R"("action": "SCMP_ACT_KILL")")), "getpid") ==
          SECCOMP_RET_KILL_THREAD);
    CHECK(verdict(compiled(one(R"("action": "SCMP_ACT_KILL_THREAD")")), "getpid") ==
          SECCOMP_RET_KILL_THREAD);
    CHECK(verdict(compiled(one(R"("action": "SCMP_ACT_KILL_PROCESS")")), "getpid") ==
          SECCOMP_RET_KILL_PROCESS);
    CHECK(verdict(compiled(one(R"("action": "SCMP_ACT_TRAP")")), "getpid") == SECCOMP_RET_TRAP);
    CHECK(verdict(compiled(one(R"("action": "SCMP_ACT_TRACE", "errnoRet": 7)")), "getpid") ==
          (SECCOMP_RET_TRACE | 7U));
    CHECK(verdict(compiled(one(R"("action": "SCMP_ACT_LOG")")), "getpid") == SECCOMP_RET_LOG);
    CHECK(verdict(compiled(R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 13,
                             "syscalls": [{"names": ["getpid"], "action": "SCMP_ACT_ALLOW"}]})"),
                  "read") == (SECCOMP_RET_ERRNO | EACCES));
    const auto notify =
        compiled(one(R"("action": "SCMP_ACT_NOTIFY")", R"("listenerPath": "/run/agent", )"));
    CHECK(verdict(notify, "getpid") == SECCOMP_RET_USER_NOTIF);
    CHECK(notify.listener);
    CHECK(notify.filter_flags == SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

TEST_CASE("every comparison of the specification") {
    struct Row {
        const char* op;
        std::uint64_t value, value_two, matches, differs;
    };

    for (const Row& row : {Row{"NE", 5, 0, 6, 5},
                           Row{"LT", 5, 0, 4, 5},
                           Row{"LE", 5, 0, 5, 6},
                           Row{"EQ", 5, 0, 5, 6},
                           Row{"GE", 5, 0, 5, 4},
                           Row{"GT", 5, 0, 6, 5},
                           Row{"MASKED_EQ", 0x7e020000, 0, 0x11, 0x20000}}) {
        const auto program = compiled(
            one(R"("action": "SCMP_ACT_ERRNO", "args": [{"index": 2, "value": )" +
                std::to_string(row.value) + R"(, "valueTwo": )" + std::to_string(row.value_two) +
                R"(, "op": "SCMP_CMP_)" + row.op + "\"}]"));
        CHECK_MESSAGE(verdict(program, "getpid", {0, 0, row.matches}) == kErrnoPerm, row.op);
        CHECK_MESSAGE(verdict(program, "getpid", {0, 0, row.differs}) == SECCOMP_RET_ALLOW, row.op);
    }
}

TEST_CASE("unknown names are skipped and counted, unknown words are refused where they stand") {
    const auto program = compiled(
        R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["no_such_call", "getpid", "nor_this"], "action": "SCMP_ACT_ERRNO"}]})");
    CHECK(program.skipped_names == 2);
    CHECK(verdict(program, "getpid") == kErrnoPerm);

    const std::string all = problems_of(R"({
        "defaultAction": "SCMP_ACT_MAYBE",
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_Z80"],
        "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_FAST"],
        "syscalls": [
            {"names": [], "action": "SCMP_ACT_ALLOW"},
            {"names": ["read"], "action": "ALLOW"},
            {"names": ["read"], "action": "SCMP_ACT_ERRNO", "errnoRet": 4096},
            {"names": ["read"], "action": "SCMP_ACT_ERRNO",
             "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"},
                      {"index": 0, "value": 1, "op": "=="}, {"index": 0, "op": "SCMP_CMP_EQ"}]}]})");
    for (const char* place : {"/linux/seccomp/defaultAction: ",
                              "/linux/seccomp/architectures/1: ",
                              "/linux/seccomp/flags/1: ",
                              "/linux/seccomp/syscalls/0/names: ",
                              "/linux/seccomp/syscalls/1/action: ",
                              "/linux/seccomp/syscalls/2/errnoRet: ",
                              "/linux/seccomp/syscalls/3/args/0/index: ",
                              "/linux/seccomp/syscalls/3/args/1/op: ",
                              "/linux/seccomp/syscalls/3/args/2/value: "}) {
        CHECK_MESSAGE(holds(all, place), place);
    }
    CHECK(holds(problems_of("[]"), "/linux/seccomp: "));
    CHECK(holds(problems_of(R"({"syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]})"),
                "/linux/seccomp/defaultAction: "));
}

TEST_CASE("error numbers belong to the actions that have one") {
    CHECK(holds(problems_of(one(R"("action": "SCMP_ACT_KILL", "errnoRet": 1)")),
                "/linux/seccomp/syscalls/0/errnoRet: SCMP_ACT_KILL takes no error number"));
    CHECK(holds(problems_of(R"({"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1})"),
                "/linux/seccomp/defaultErrnoRet: "));
    CHECK(verdict(compiled(one(R"("action": "SCMP_ACT_ALLOW", "errnoRet": 0)")), "getpid") ==
          SECCOMP_RET_ALLOW);
}

TEST_CASE("an object that asks for nothing is no filter") {
    for (const char* text : {"{}", R"({"syscalls": []})", R"({"defaultAction": ""})"}) {
        CHECK(isolation::check_seccomp_oci(text).has_value());
        CHECK(compiled(text).instructions.empty());
    }
}

TEST_CASE("notifications need a listener and a way for us to report") {
    const std::string notify = R"("action": "SCMP_ACT_NOTIFY")";
    CHECK(holds(problems_of(one(notify)), "/linux/seccomp/listenerPath: "));
    CHECK(holds(problems_of(one(R"("action": "SCMP_ACT_ALLOW")", R"("listenerMetadata": "x", )")),
                "/linux/seccomp/listenerMetadata: "));
    CHECK(
        holds(problems_of(R"({"defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": "/run/agent"})"),
              "/linux/seccomp/defaultAction: SCMP_ACT_NOTIFY cannot be used as default action"));
    CHECK(holds(problems_of(R"({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/agent",
                           "syscalls": [{"names": ["bpf", "sendmsg"], "action": "SCMP_ACT_NOTIFY"}]})"),
                "/linux/seccomp/syscalls/0/action: SCMP_ACT_NOTIFY cannot be used for the sendmsg "
                "system call"));
    // Without notifications the path is of no account, as the specification holds it.
    CHECK(!compiled(one(R"("action": "SCMP_ACT_LOG")", R"("listenerPath": "/run/agent", )"))
               .listener);
}

TEST_CASE("flags go to seccomp(2) as they are, and two depend on a listener") {
    const auto flags = [](const std::string& words, bool notify) {
        return compiled(
                   one(notify ? R"("action": "SCMP_ACT_NOTIFY")" : R"("action": "SCMP_ACT_LOG")",
                       R"("listenerPath": "/run/agent", "flags": [)" + words + "], "))
            .filter_flags;
    };
    const std::string all =
        R"("SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW")";
    constexpr std::uint32_t kPlain =
        SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    CHECK(flags("", false) == 0);
    CHECK(flags(all, false) == kPlain);
    CHECK(flags(all, true) ==
          (kPlain | SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_TSYNC_ESRCH));
    const auto supported = isolation::supported_oci_seccomp_flags();
    const auto known = isolation::oci_seccomp_flags();
    CHECK(known.size() == 4);
    for (const std::string_view flag : supported) {
        CHECK(std::find(known.begin(), known.end(), flag) != known.end());
    }
    constexpr const char* kKillable = R"("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")";
    if (std::find(supported.begin(), supported.end(), known.back()) == supported.end()) {
        CHECK(holds(problems_of(one(R"("action": "SCMP_ACT_LOG")",
                                    std::string(R"("flags": [)") + kKillable + "], ")),
                    "/linux/seccomp/flags/0: this kernel holds no "));
        return;
    }
    CHECK(flags(kKillable, false) == 0);
    CHECK(flags(kKillable, true) ==
          (SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV));
}

namespace {

// As engines write it: a short allow-list.
std::string allow_list(const std::string& architectures) {
    return R"({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "architectures": [)" +
           architectures +
           R"(], "syscalls": [{"names": ["read", "write", "exit_group", "clone", "futex_waitv"],
                               "action": "SCMP_ACT_ALLOW"}]})";
}

}  // namespace

TEST_CASE("calls younger than the profile do not exist, unless the default lets them through") {
    constexpr int kYounger = 460;  // futex_waitv is 449
    const auto list = compiled(allow_list(""));
    CHECK(answer_at(list, seccomp_arch_native(), kYounger) == kErrnoNosys);
    CHECK(answer_at(list, seccomp_arch_native(), -1) == kErrnoNosys);
    CHECK(verdict(list, "mount") == kErrnoPerm);
    CHECK(verdict(list, "read") == SECCOMP_RET_ALLOW);
    CHECK(answer_at(compiled(one(R"("action": "SCMP_ACT_ERRNO")")),
                    seccomp_arch_native(),
                    kYounger) == SECCOMP_RET_ALLOW);
}

#if defined(__x86_64__)
TEST_CASE("sub-architectures by their own numbers, foreign ones dropped, unlisted ones killed") {
    constexpr int kX32 = 0x40000000;
    const auto list = compiled(allow_list(
        R"("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_S390X", "SCMP_ARCH_ARM")"));
    CHECK(answer_at(list, AUDIT_ARCH_X86_64, 0) == SECCOMP_RET_ALLOW);
    CHECK(answer_at(list, AUDIT_ARCH_X86_64, 165) == kErrnoPerm);
    CHECK(answer_at(list, AUDIT_ARCH_I386, 3) == SECCOMP_RET_ALLOW);
    CHECK(answer_at(list, AUDIT_ARCH_I386, 21) == kErrnoPerm);
    CHECK(answer_at(list, AUDIT_ARCH_I386, 460) == kErrnoNosys);
    CHECK(answer_at(list, AUDIT_ARCH_X86_64, kX32 | 0) == SECCOMP_RET_ALLOW);
    CHECK(answer_at(list, AUDIT_ARCH_X86_64, kX32 | 165) == kErrnoPerm);
    CHECK(answer_at(list, AUDIT_ARCH_X86_64, kX32 | 4000) == kErrnoNosys);
    CHECK(answer_at(list, AUDIT_ARCH_X86_64, 460) == kErrnoNosys);
    CHECK(answer_at(list, AUDIT_ARCH_AARCH64, 63) == SECCOMP_RET_KILL_THREAD);
    const auto native = compiled(allow_list(R"("SCMP_ARCH_X86_64")"));
    CHECK(answer_at(native, AUDIT_ARCH_I386, 3) == SECCOMP_RET_KILL_THREAD);
    CHECK(answer_at(native, AUDIT_ARCH_X86_64, kX32 | 0) != SECCOMP_RET_ALLOW);
}
#endif

TEST_CASE("flags and listener come out of the cache as they went in") {
    std::string path = "/tmp/warren-seccomp-XXXXXX";
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    {
        const auto dir = base::open_dir(AT_FDCWD, path);
        REQUIRE(dir.has_value());
        const auto config =
            oci(one(R"("action": "SCMP_ACT_NOTIFY")",
                    R"("listenerPath": "/a", "flags": ["SECCOMP_FILTER_FLAG_LOG"], )"));
        const auto first = isolation::load_seccomp(config, dir.value().get());
        REQUIRE(first.has_value());
        REQUIRE(::faccessat(dir.value().get(),
                            (isolation::seccomp_key(config) + ".bpf").c_str(),
                            F_OK,
                            0) == 0);
        const auto second = isolation::load_seccomp(config, dir.value().get());
        REQUIRE(second.has_value());
        CHECK(second.value().listener);
        CHECK(second.value().filter_flags ==
              (SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_NEW_LISTENER));
        REQUIRE(second.value().instructions.size() == first.value().instructions.size());
        CHECK(std::memcmp(second.value().instructions.data(),
                          first.value().instructions.data(),
                          first.value().instructions.size() * sizeof(sock_filter)) == 0);
        CHECK(isolation::load_seccomp(oci("{}"), dir.value().get()).value().instructions.empty());
    }
    CHECK(base::remove_tree_at(AT_FDCWD, path).has_value());
}

namespace {

// seccomp(2) with the program and its flags; its result.
long install(const SeccompProgram& program) {
    sock_fprog filter{};
    filter.len = static_cast<unsigned short>(program.instructions.size());
    filter.filter = const_cast<sock_filter*>(program.instructions.data());
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return -1;
    }
    return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, program.filter_flags, &filter);
}

// Runs `body` in a child under the filter and gives what waitpid(2) says of it.
int status_under(const SeccompProgram& program, const std::function<int()>& body) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::_exit(install(program) != 0 ? 99 : body());
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return status;
}

int try_getppid() {
    return ::syscall(SYS_getppid) < 0 ? errno : 0;
}

std::string getppid_is(const std::string& action) {
    return R"({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64",
               "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
               "flags": ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG"],
               "syscalls": [{"names": ["getppid"], )" +
           action + "}]}";
}

}  // namespace

TEST_CASE("the kernel takes the programs with their flags and does what they say") {
    const int refused = status_under(
        compiled(getppid_is(R"("action": "SCMP_ACT_ERRNO", "errnoRet": 77)")), try_getppid);
    REQUIRE(WIFEXITED(refused));
    CHECK(WEXITSTATUS(refused) == 77);
    const int killed =
        status_under(compiled(getppid_is(R"("action": "SCMP_ACT_KILL_PROCESS")")), try_getppid);
    REQUIRE(WIFSIGNALED(killed));
    CHECK(WTERMSIG(killed) == SIGSYS);
    const int trapped =
        status_under(compiled(getppid_is(R"("action": "SCMP_ACT_TRAP")")), try_getppid);
    REQUIRE(WIFSIGNALED(trapped));
    CHECK(WTERMSIG(trapped) == SIGSYS);
    // Nobody traces it: the call does not exist.
    const int traced =
        status_under(compiled(getppid_is(R"("action": "SCMP_ACT_TRACE")")), try_getppid);
    REQUIRE(WIFEXITED(traced));
    CHECK(WEXITSTATUS(traced) == ENOSYS);
}

namespace {

// Answers one notification on the listener of the child's descriptor number `listener` with an error.
void answer_notification(pid_t child, int listener, int error) {
    const base::Fd process(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    REQUIRE(process);
    const base::Fd agent(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), listener, 0)));
    REQUIRE(agent);
    seccomp_notif request{};
    REQUIRE(::ioctl(agent.get(), SECCOMP_IOCTL_NOTIF_RECV, &request) == 0);
    CHECK(request.data.nr == SYS_getppid);
    seccomp_notif_resp response{};
    response.id = request.id;
    response.error = -error;
    REQUIRE(::ioctl(agent.get(), SECCOMP_IOCTL_NOTIF_SEND, &response) == 0);
}

}  // namespace

TEST_CASE("a listener gets the call, and its verdict is the call's") {
    const auto program =
        compiled(R"({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/agent",
        "flags": ["SECCOMP_FILTER_FLAG_TSYNC"],
        "syscalls": [{"names": ["getppid"], "action": "SCMP_ACT_NOTIFY"}]})");
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    const base::Fd read_end(ends[0]);
    base::Fd write_end(ends[1]);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const int listener = static_cast<int>(install(program));
        (void)!::write(write_end.get(), &listener, sizeof listener);
        ::_exit(listener < 0 ? 99 : try_getppid());
    }
    write_end.reset();
    int listener = -1;
    REQUIRE(::read(read_end.get(), &listener, sizeof listener) ==
            static_cast<ssize_t>(sizeof listener));
    if (listener >= 0) {
        answer_notification(child, listener, EXDEV);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == EXDEV);
}

TEST_CASE("the words that features lists") {
    CHECK(isolation::oci_seccomp_actions().size() == 9);
    CHECK(isolation::oci_seccomp_operators().size() == 7);
    const auto architectures = isolation::oci_seccomp_architectures();
    for (const std::string_view name : {"SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_RISCV64"}) {
        CHECK(std::find(architectures.begin(), architectures.end(), name) != architectures.end());
    }
}
