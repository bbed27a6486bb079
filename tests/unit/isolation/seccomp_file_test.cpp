// Profile files: untrusted text.
#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include <linux/audit.h>
#include <linux/capability.h>

#include <doctest/doctest.h>
#include <seccomp.h>

#include "isolation/seccomp.hpp"
#include "tests/unit/isolation/bpf_interpreter.hpp"

namespace {

using namespace warren;
using isolation::SeccompProfile;

isolation::SeccompProgram compile(std::string text, std::uint64_t capabilities = 0) {
    auto program = isolation::compile_seccomp({.profile = SeccompProfile::File,
                                               .file_text = std::move(text),
                                               .capabilities = capabilities});
    REQUIRE_MESSAGE(program.has_value(), program.error().describe());
    return std::move(program).value();
}

std::uint32_t answer(const isolation::SeccompProgram& program,
                     const char* name,
                     std::uint64_t first = 0,
                     std::uint64_t second = 0) {
    seccomp_data data{};
    data.nr = seccomp_syscall_resolve_name(name);
    data.arch = seccomp_arch_native();
    data.args[0] = first;
    data.args[1] = second;
    const auto result = test::run_bpf(program.instructions, data);
    REQUIRE(result.has_value());
    return *result;
}

std::string problems(std::string_view text) {
    const auto checked = isolation::check_seccomp_file(text);
    REQUIRE(!checked);
    CHECK(checked.error().kind() == base::ErrorKind::Usage);
    return checked.error().describe();
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

constexpr std::string_view kProfile = R"({
  "defaultAction": "SCMP_ACT_ERRNO",
  "defaultErrnoRet": 38,
  "defaultErrno": "ENOSYS",
  "archMap": [
    {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
    {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}
  ],
  "syscalls": [
    {"names": ["read", "write", "close", "no_such_call", "nor_this"], "action": "SCMP_ACT_ALLOW", "args": []},
    {"names": ["mount"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
    {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
    {"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]},
    {"names": ["kill"], "action": "SCMP_ACT_ALLOW",
     "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}]},
    {"names": ["dup2"], "action": "SCMP_ACT_ALLOW",
     "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 2, "op": "SCMP_CMP_GT"}]},
    {"names": ["clone"], "action": "SCMP_ACT_ALLOW",
     "args": [{"index": 0, "value": 2114060288, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]},
    {"names": ["getpid"], "action": "SCMP_ACT_KILL_PROCESS"},
    {"names": ["getuid"], "action": "SCMP_ACT_LOG"},
    {"names": ["getgid"], "action": "SCMP_ACT_ERRNO", "errno": "EACCES"},
    {"names": ["geteuid"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
    {"names": ["getegid"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "999.0"}},
    {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["s390x"]}},
    {"name": "getppid", "action": "SCMP_ACT_ALLOW"}
  ]
})";

}  // namespace

TEST_CASE("a profile file in the containers format") {
    const auto program = compile(std::string(kProfile));
    constexpr std::uint32_t kDefault = SECCOMP_RET_ERRNO | ENOSYS;
    CHECK(answer(program, "read") == SECCOMP_RET_ALLOW);
    CHECK(answer(program, "openat") == kDefault);
    CHECK(answer(program, "mount") == (SECCOMP_RET_ERRNO | EPERM));
    CHECK(answer(compile(std::string(kProfile), std::uint64_t{1} << CAP_SYS_ADMIN), "mount") ==
          SECCOMP_RET_ALLOW);
    CHECK(answer(program, "personality", 8) == SECCOMP_RET_ALLOW);
    CHECK(answer(program, "personality", 9) == kDefault);
    CHECK(answer(program, "clone", 17) == SECCOMP_RET_ALLOW);
    CHECK(answer(program, "clone", 0x10000000) == kDefault);
    CHECK(answer(program, "getpid") == SECCOMP_RET_KILL_PROCESS);
    CHECK(answer(program, "getuid") == SECCOMP_RET_LOG);
    CHECK(answer(program, "getgid") == (SECCOMP_RET_ERRNO | EACCES));
    CHECK(answer(program, "geteuid") == SECCOMP_RET_ALLOW);
    CHECK(answer(program, "getegid") == kDefault);
    CHECK(answer(program, "ptrace") == kDefault);
    CHECK(answer(program, "getppid") == SECCOMP_RET_ALLOW);
    CHECK(program.skipped_names == 2);
}

TEST_CASE("conditions on one argument stand alone, on several they go together") {
    const auto program = compile(std::string(kProfile));
    CHECK(answer(program, "kill", 1) == SECCOMP_RET_ALLOW);
    CHECK(answer(program, "kill", 2) == SECCOMP_RET_ALLOW);
    CHECK(answer(program, "kill", 3) == (SECCOMP_RET_ERRNO | ENOSYS));
    CHECK(answer(program, "dup2", 1, 3) == SECCOMP_RET_ALLOW);
    CHECK(answer(program, "dup2", 1, 2) == (SECCOMP_RET_ERRNO | ENOSYS));
    CHECK(answer(program, "dup2", 2, 3) == (SECCOMP_RET_ERRNO | ENOSYS));
}

TEST_CASE("a deny-list allows the rest") {
    const auto program = compile(
        R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["unshare"], "action": "SCMP_ACT_ERRNO"}]})");
    CHECK(answer(program, "unshare") == (SECCOMP_RET_ERRNO | EPERM));
    CHECK(answer(program, "mount") == SECCOMP_RET_ALLOW);
}

TEST_CASE("all problems of a profile file at once, each with its place") {
    const std::string text = problems(R"({
      "defaultAction": "SCMP_ACT_MAYBE",
      "architectures": ["SCMP_ARCH_PDP11"],
      "flags": ["SECCOMP_FILTER_FLAG_HOPE"],
      "listenerPath": "/run/x",
      "syscalls": [
        {"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]},
        {"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": -1, "op": "EQ"}]},
        {"names": ["read"], "action": "SCMP_ACT_NOTIFY"},
        {"names": "read", "action": 3},
        {"action": "SCMP_ACT_ALLOW"},
        {"names": ["read"], "action": "SCMP_ACT_ERRNO", "errnoRet": 70000},
        {"names": ["read"], "action": "SCMP_ACT_ERRNO", "errno": "EWHAT"},
        {"names": ["read"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "new"}}
      ]})");
    for (const std::string_view place : {"/defaultAction",
                                         "/architectures",
                                         "/flags",
                                         "/listenerPath",
                                         "/syscalls/0/args/0/index",
                                         "/syscalls/1/args/0/value",
                                         "/syscalls/1/args/0/op",
                                         "/syscalls/2/action",
                                         "/syscalls/3/names",
                                         "/syscalls/3/action",
                                         "/syscalls/4/names",
                                         "/syscalls/5/errnoRet",
                                         "/syscalls/6/errno",
                                         "/syscalls/7/includes/minKernel"}) {
        CHECK_MESSAGE(has(text, std::string(place) + ":"), place << " in " << text);
    }
    CHECK(text.find('\n') == std::string::npos);
}

TEST_CASE("what is no profile at all") {
    CHECK(has(problems(""), "seccomp profile"));
    CHECK(has(problems("[]"), "expected an object"));
    CHECK(has(problems("{}"), "/defaultAction"));
    CHECK(has(problems(R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [1]})"), "/syscalls/0"));
    CHECK(has(problems(R"({"defaultAction": "SCMP_ACT_ALLOW", "defaultAction": "SCMP_ACT_ALLOW"})"),
              "duplicate"));
    CHECK(has(problems(R"({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"],
                           "archMap": [{"architecture": "SCMP_ARCH_X86_64"}]})"),
              "/archMap"));
}

TEST_CASE("a profile that would take for ever is refused") {
    std::string names = "\"read\"";
    for (int i = 0; i < 5000; ++i) {
        names += ",\"read\"";
    }
    CHECK(has(
        problems(
            R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"action": "SCMP_ACT_ALLOW", "names": [)" +
            names + "]}]}"),
        "/syscalls: more than 4096 rules"));
    CHECK(has(problems(std::string((1U << 20) + 1, ' ')), "larger than"));
}

TEST_CASE("many problems are counted, not all shown") {
    std::string entries = "{}";
    for (int i = 0; i < 100; ++i) {
        entries += ",{}";
    }
    CHECK(has(problems(R"({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [)" + entries + "]}"),
              "more problems"));
}

TEST_CASE("architectures named outright") {
    const auto program = compile(
        R"({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_AARCH64"],
            "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]})");
    CHECK(answer(program, "read") == SECCOMP_RET_ALLOW);
    for (const std::uint32_t arch :
         std::array<std::uint32_t, 3>{AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_X86_64}) {
        seccomp_data data{};
        data.arch = arch;
        data.nr = seccomp_syscall_resolve_name_arch(arch, "read");
        CHECK(test::run_bpf(program.instructions, data) == SECCOMP_RET_ALLOW);
    }
}
