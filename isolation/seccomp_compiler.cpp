// From rules to a program: by libseccomp, then made small by seccomp_ranges.hpp.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "isolation/seccomp_lists.hpp"
#include "isolation/seccomp_ranges.hpp"
#include "isolation/seccomp_rules.hpp"

namespace warren::isolation {

namespace {

struct ReleaseContext {
    void operator()(void* context) const { seccomp_release(context); }
};

using Context = std::unique_ptr<void, ReleaseContext>;

base::Error library_error(int result, std::string what) {
    return base::errno_error(-result, std::move(what));
}

base::Status set_attribute(const Context& context,
                           scmp_filter_attr attribute,
                           std::uint32_t value) {
    if (const int rc = seccomp_attr_set(context.get(), attribute, value); rc < 0) {
        return library_error(
            rc, "set attribute " + std::to_string(attribute) + " of the system call filter");
    }
    return base::ok();
}

base::Result<Context> make_context(const SeccompRules& rules) {
    Context context(seccomp_init(rules.default_action));
    if (!context) {
        return base::fail("make a system call filter with default action " +
                          std::to_string(rules.default_action));
    }
    // The child loads the program itself, and a machine's setuid programs must work.
    TRY(set_attribute(context, SCMP_FLTATR_CTL_NNP, 0));
    // A binary tree over the numbers instead of a list of comparisons.
    TRY(set_attribute(context, SCMP_FLTATR_CTL_OPTIMIZE, 2));
    TRY(set_attribute(context, SCMP_FLTATR_ACT_BADARCH, rules.foreign_action));
    return context;
}

// The native number, or libseccomp's negative pseudo number of a call that other architectures
// have.
int resolve(const std::string& name, std::uint32_t architecture) {
    const int number = seccomp_syscall_resolve_name_arch(architecture, name.c_str());
    if (number != __NR_SCMP_ERROR || architecture != seccomp_arch_native()) {
        return number;
    }
    constexpr int kSharedNumbers = 424;
    for (const lists::Numbered& entry : lists::numbers()) {
        if (entry.name == name &&
            (entry.number >= kSharedNumbers || architecture == SCMP_ARCH_X86_64)) {
            return entry.number;
        }
    }
    return __NR_SCMP_ERROR;
}

base::Status add_call(const Context& context,
                      int number,
                      const std::string& name,
                      const SeccompRule& rule) {
    std::vector<scmp_arg_cmp> comparisons;
    comparisons.reserve(rule.conditions.size());
    for (const SeccompCondition& condition : rule.conditions) {
        comparisons.push_back({.arg = condition.index,
                               .op = condition.op,
                               .datum_a = condition.value,
                               .datum_b = condition.value_two});
    }
    const int rc = seccomp_rule_add_array(context.get(),
                                          rule.action,
                                          number,
                                          static_cast<unsigned>(comparisons.size()),
                                          comparisons.data());
    // The same call with the same conditions came before: the first rule stands.
    if (rc < 0 && rc != -EEXIST) {
        return library_error(rc, "add " + name + " to the system call filter");
    }
    return base::ok();
}

// `native`: the context's architecture. The library takes native numbers for all architectures and
// translates them by name, so calls it cannot name exist for the native one only.
base::Status add_rules(const Context& context,
                       const SeccompRules& rules,
                       bool native,
                       std::uint32_t& skipped) {
    for (const SeccompRule& rule : rules.rules) {
        if (rule.action == rules.default_action) {
            continue;  // the library refuses what changes nothing
        }
        for (const std::string_view view : rule.names) {
            const std::string name(view);
            const int number = native ? resolve(name, seccomp_arch_native())
                                      : seccomp_syscall_resolve_name(name.c_str());
            if (number == __NR_SCMP_ERROR) {
                ++skipped;
                continue;
            }
            TRY(add_call(context, number, name, rule));
        }
    }
    return base::ok();
}

base::Result<Context> make_filter(const SeccompRules& rules, std::uint32_t& skipped) {
    auto context = TRY(make_context(rules));
    TRY(add_rules(context, rules, true, skipped));
    if (rules.other_architectures.empty()) {
        return context;
    }
    auto others = TRY(make_context(rules));
    if (const int rc = seccomp_arch_remove(others.get(), SCMP_ARCH_NATIVE); rc < 0) {
        return library_error(rc, "remove the native architecture from the system call filter");
    }
    for (const std::uint32_t architecture : rules.other_architectures) {
        const int rc = seccomp_arch_add(others.get(), architecture);
        if (rc < 0 && rc != -EEXIST) {
            return library_error(
                rc,
                "add architecture " + std::to_string(architecture) + " to the system call filter");
        }
    }
    std::uint32_t skipped_again = 0;
    TRY(add_rules(others, rules, false, skipped_again));
    if (const int rc = seccomp_merge(context.get(), others.get()); rc < 0) {
        return library_error(rc, "merge the system call filters of two architectures");
    }
    (void)others.release();  // owned by the first one now
    return context;
}

base::Result<std::vector<sock_filter>> export_filter(const Context& context) {
    base::Fd memory(::memfd_create("seccomp", MFD_CLOEXEC));
    if (!memory) {
        return base::errno_error("make a memory file for the system call filter");
    }
    if (const int rc = seccomp_export_bpf(context.get(), memory.get()); rc < 0) {
        return library_error(rc, "compile the system call filter");
    }
    if (::lseek(memory.get(), 0, SEEK_SET) < 0) {
        return base::errno_error("rewind the system call filter");
    }
    constexpr std::size_t kLimit = BPF_MAXINSNS * sizeof(sock_filter);
    const auto bytes = TRY(base::read_all(memory.get(), kLimit, "the system call filter"));
    if (bytes.empty() || bytes.size() % sizeof(sock_filter) != 0) {
        return base::fail("compile the system call filter: " + std::to_string(bytes.size()) +
                          " bytes");
    }
    std::vector<sock_filter> instructions(bytes.size() / sizeof(sock_filter));
    std::memcpy(instructions.data(), bytes.data(), bytes.size());
    return instructions;
}

int highest_number(const std::vector<std::string_view>& names, std::uint32_t architecture) {
    int highest = 0;
    for (const std::string_view name : names) {
        highest = std::max(highest, resolve(std::string(name), architecture));
    }
    return highest;
}

// One instruction set's part of the prologue: the number is loaded and compared with the highest known
// one. x32 shares x86-64's name in the kernel, and marks its calls by a bit of the number.
std::vector<std::uint32_t> highest_numbers(const SeccompRules& rules, std::uint32_t architecture) {
    const auto highest = [&](std::uint32_t of) {
        return static_cast<std::uint32_t>(highest_number(rules.known_names, of));
    };
    const auto& others = rules.other_architectures;
    if (architecture == SCMP_ARCH_X86_64 &&
        std::find(others.begin(), others.end(), SCMP_ARCH_X32) != others.end()) {
        return {highest(architecture), highest(SCMP_ARCH_X32)};
    }
    return {highest(architecture)};
}

// Runs before the program: calls younger than the lists answer ENOSYS, so that a newer C library
// falls back to what it used before. EPERM would make it give up.
std::vector<sock_filter> make_prologue(const SeccompRules& rules) {
    constexpr std::uint32_t kX32Bit = 0x40000000;
    std::vector<sock_filter> out;
    out.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)));
    std::vector<std::size_t> to_end;  // jumps that leave the prologue
    std::vector<std::uint32_t> architectures = rules.other_architectures;
    architectures.insert(architectures.begin(), seccomp_arch_native());
    for (const std::uint32_t architecture : architectures) {
        if (architecture == SCMP_ARCH_X32) {
            continue;
        }
        const auto highest = highest_numbers(rules, architecture);
        const bool x32 = highest.size() > 1;
        const std::uint8_t block = x32 ? 5 : 3;
        out.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, architecture, 0, block));
        out.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
        if (x32) {
            out.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kX32Bit, 0, 1));
            to_end.push_back(out.size());
            out.push_back(BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, highest[1], 1, 0));
        }
        to_end.push_back(out.size());
        out.push_back(BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, highest[0], 0, 0));
        out.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
    }
    for (const std::size_t at : to_end) {
        out[at].jf = static_cast<std::uint8_t>(out.size() - at - 1);
    }
    return out;
}

}  // namespace

base::Result<SeccompProgram> compile_by_library(const SeccompRules& rules) {
    SeccompProgram program{.filter_flags = rules.filter_flags, .listener = rules.listener};
    const auto context = TRY(make_filter(rules, program.skipped_names));
    if (!rules.known_names.empty()) {
        program.instructions = make_prologue(rules);
    }
    const auto body = TRY(export_filter(context));
    program.instructions.insert(program.instructions.end(), body.begin(), body.end());
    return program;
}

base::Result<SeccompProgram> compile_rules(const SeccompRules& rules) {
    auto program = TRY(compile_by_library(rules));
    program.instructions = to_ranges(program.instructions);
    if (program.instructions.size() > BPF_MAXINSNS) {
        return base::usage_error("compile the system call filter: more than " +
                                 std::to_string(BPF_MAXINSNS) + " instructions");
    }
    return program;
}

}  // namespace warren::isolation
