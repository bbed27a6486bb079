#include "cgroups/device_program.hpp"

#include <cstddef>

namespace warren::cgroups {

namespace {

// The context is struct bpf_cgroup_dev_ctx; r1 points to it. What the rules look at:
constexpr std::uint8_t kType = BPF_REG_2;    // BPF_DEVCG_DEV_*
constexpr std::uint8_t kAccess = BPF_REG_3;  // BPF_DEVCG_ACC_* that are asked for
constexpr std::uint8_t kMajor = BPF_REG_4;
constexpr std::uint8_t kMinor = BPF_REG_5;
constexpr std::uint8_t kScratch = BPF_REG_1;  // the context is not needed once it is read

constexpr std::uint32_t kTypeMask = 0xffff;
constexpr std::int32_t kAccessShift = 16;
constexpr std::uint32_t kAllAccess = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE;

using Program = std::vector<struct bpf_insn>;

struct bpf_insn instruction(
    unsigned code, std::uint8_t dst, std::uint8_t src, std::size_t offset, std::int32_t immediate) {
    struct bpf_insn out = {};
    out.code = static_cast<std::uint8_t>(code);
    out.dst_reg = dst & 0xfU;
    out.src_reg = src & 0xfU;
    out.off = static_cast<std::int16_t>(offset);
    out.imm = immediate;
    return out;
}

struct bpf_insn load(std::uint8_t dst, std::size_t offset) {
    return instruction(BPF_LDX | BPF_W | BPF_MEM, dst, BPF_REG_1, offset, 0);
}

struct bpf_insn copy(std::uint8_t dst, std::uint8_t src) {
    return instruction(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

struct bpf_insn with_constant(unsigned operation, std::uint8_t dst, std::uint32_t value) {
    return instruction(BPF_ALU64 | operation | BPF_K, dst, 0, 0, static_cast<std::int32_t>(value));
}

// To the end of the rule, which is not known yet, when the register is not `value`.
struct bpf_insn skip_unless(std::uint8_t reg, std::uint32_t value) {
    return instruction(BPF_JMP | BPF_JNE | BPF_K, reg, 0, 0, static_cast<std::int32_t>(value));
}

void answer(Program& program, std::int32_t value) {
    program.push_back(instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value));
    program.push_back(instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

std::uint32_t access_bits(const DeviceAccess& rule) {
    return (rule.read ? std::uint32_t{BPF_DEVCG_ACC_READ} : 0) |
           (rule.write ? std::uint32_t{BPF_DEVCG_ACC_WRITE} : 0) |
           (rule.make ? std::uint32_t{BPF_DEVCG_ACC_MKNOD} : 0);
}

base::Status check(const DeviceAccess& rule) {
    constexpr std::uint32_t kMajorMax = (1U << 12U) - 1;
    constexpr std::uint32_t kMinorMax = (1U << 20U) - 1;
    if (rule.type != 'c' && rule.type != 'b' && rule.type != 'a') {
        return base::usage_error("invalid device type: expected c, b or a");
    }
    if (rule.major.value_or(0) > kMajorMax || rule.minor.value_or(0) > kMinorMax) {
        return base::usage_error("invalid device number " + std::to_string(rule.major.value_or(0)) +
                                 ":" + std::to_string(rule.minor.value_or(0)));
    }
    return base::ok();
}

// The tests of one rule; it matches when none of them jumps.
Program tests(const DeviceAccess& rule) {
    Program out;
    if (rule.type != 'a') {
        out.push_back(
            skip_unless(kType, rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR));
    }
    const auto allowed = access_bits(rule);
    if (allowed != kAllAccess) {
        // Everything that is asked for must be allowed by this rule.
        out.push_back(copy(kScratch, kAccess));
        out.push_back(with_constant(BPF_AND, kScratch, kAllAccess & ~allowed));
        out.push_back(skip_unless(kScratch, 0));
    }
    if (rule.major) {
        out.push_back(skip_unless(kMajor, *rule.major));
    }
    if (rule.minor) {
        out.push_back(skip_unless(kMinor, *rule.minor));
    }
    return out;
}

}  // namespace

base::Result<std::vector<struct bpf_insn>> assemble_device_program(
    const std::vector<DeviceAccess>& allowed) {
    constexpr std::size_t kRulesMax = 1000;
    if (allowed.size() > kRulesMax) {
        return base::usage_error("more than " + std::to_string(kRulesMax) + " device rules");
    }
    Program program;
    program.push_back(load(kType, offsetof(struct bpf_cgroup_dev_ctx, access_type)));
    program.push_back(load(kMajor, offsetof(struct bpf_cgroup_dev_ctx, major)));
    program.push_back(load(kMinor, offsetof(struct bpf_cgroup_dev_ctx, minor)));
    program.push_back(copy(kAccess, kType));
    program.push_back(with_constant(BPF_RSH, kAccess, kAccessShift));
    program.push_back(with_constant(BPF_AND, kType, kTypeMask));
    for (const DeviceAccess& rule : allowed) {
        TRY(check(rule));
        if (access_bits(rule) == 0) {
            continue;
        }
        auto rule_tests = tests(rule);
        if (rule_tests.empty()) {
            // All devices: the kernel refuses a program with code that is never reached.
            answer(program, 1);
            return program;
        }
        answer(rule_tests, 1);
        for (std::size_t i = 0; i < rule_tests.size(); ++i) {
            if (BPF_OP(rule_tests[i].code) == BPF_JNE && BPF_CLASS(rule_tests[i].code) == BPF_JMP) {
                rule_tests[i].off = static_cast<std::int16_t>(rule_tests.size() - i - 1);
            }
        }
        program.insert(program.end(), rule_tests.begin(), rule_tests.end());
    }
    answer(program, 0);
    return program;
}

}  // namespace warren::cgroups
