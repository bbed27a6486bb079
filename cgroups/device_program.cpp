#include "cgroups/device_program.hpp"

#include <algorithm>
#include <cstddef>
#include <tuple>

namespace warren::cgroups {

namespace {

// The context is struct bpf_cgroup_dev_ctx; r1 points to it. What the rules look at:
constexpr std::uint8_t kType = BPF_REG_2;  // BPF_DEVCG_DEV_*
// BPF_DEVCG_ACC_* that are asked for and that no rule so far has decided. The rules are run from the last.
constexpr std::uint8_t kAccess = BPF_REG_3;
constexpr std::uint8_t kMajor = BPF_REG_4;
constexpr std::uint8_t kMinor = BPF_REG_5;
constexpr std::uint8_t kScratch = BPF_REG_1;  // the context is not needed once it is read
constexpr std::uint8_t kNumber = BPF_REG_6;   // major and minor in one
constexpr std::uint8_t kFound =
    BPF_REG_7;  // negative when a device of a group is the one asked for

constexpr std::uint32_t kTypeMask = 0xffff;
constexpr std::int32_t kAccessShift = 16;
constexpr std::uint32_t kMinorBits = 20;  // of the kernel's dev_t; majors have the other 12
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

struct bpf_insn with_register(unsigned operation, std::uint8_t dst, std::uint8_t src) {
    return instruction(BPF_ALU64 | operation | BPF_X, dst, src, 0, 0);
}

struct bpf_insn with_constant(unsigned operation, std::uint8_t dst, std::uint32_t value) {
    return instruction(BPF_ALU64 | operation | BPF_K, dst, 0, 0, static_cast<std::int32_t>(value));
}

// Jumps to the end of the rule, which is not known yet.
struct bpf_insn skip_when(unsigned condition, std::uint8_t reg, std::uint32_t value) {
    return instruction(BPF_JMP | condition | BPF_K, reg, 0, 0, static_cast<std::int32_t>(value));
}

struct bpf_insn skip_unless(std::uint8_t reg, std::uint32_t value) {
    return skip_when(BPF_JNE, reg, value);
}

void answer(Program& program, std::int32_t value) {
    program.push_back(instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value));
    program.push_back(instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

std::uint32_t access_bits(const DeviceRule& rule) {
    return (rule.read ? std::uint32_t{BPF_DEVCG_ACC_READ} : 0) |
           (rule.write ? std::uint32_t{BPF_DEVCG_ACC_WRITE} : 0) |
           (rule.make ? std::uint32_t{BPF_DEVCG_ACC_MKNOD} : 0);
}

base::Status check(const DeviceRule& rule) {
    constexpr std::uint32_t kMajorMax = (1U << (32U - kMinorBits)) - 1;
    constexpr std::uint32_t kMinorMax = (1U << kMinorBits) - 1;
    if (rule.type != 'c' && rule.type != 'b' && rule.type != 'a') {
        return base::usage_error("invalid device type: expected c, b or a");
    }
    if (rule.major.value_or(0) > kMajorMax || rule.minor.value_or(0) > kMinorMax) {
        return base::usage_error("invalid device number " + std::to_string(rule.major.value_or(0)) +
                                 ":" + std::to_string(rule.minor.value_or(0)));
    }
    return base::ok();
}

// What tells whether the rule names the device.
Program match_device(const DeviceRule& rule) {
    Program out;
    if (rule.type != 'a') {
        out.push_back(
            skip_unless(kType, rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR));
    }
    if (rule.major) {
        out.push_back(skip_unless(kMajor, *rule.major));
    }
    if (rule.minor) {
        out.push_back(skip_unless(kMinor, *rule.minor));
    }
    return out;
}

// What it does about the access that is still undecided.
void decide(Program& out, const DeviceRule& rule) {
    const auto named = access_bits(rule);
    if (named != kAllAccess && rule.allow) {
        out.push_back(with_constant(BPF_AND, kAccess, kAllAccess & ~named));
        out.push_back(skip_unless(kAccess, 0));
    }
    if (named != kAllAccess && !rule.allow) {
        out.push_back(copy(kScratch, kAccess));
        out.push_back(with_constant(BPF_AND, kScratch, named));
        out.push_back(skip_when(BPF_JEQ, kScratch, 0));
    }
    answer(out, rule.allow ? 1 : 0);
}

bool is_skip(const struct bpf_insn& one) {
    const bool conditional =
        BPF_OP(one.code) == BPF_JNE || BPF_OP(one.code) == BPF_JEQ || BPF_OP(one.code) == BPF_JSGE;
    return BPF_CLASS(one.code) == BPF_JMP && conditional;
}

// Skips that have no target yet lead to the end of `code`.
void aim_skips(Program& code) {
    for (std::size_t i = 0; i < code.size(); ++i) {
        if (is_skip(code[i]) && code[i].off == 0) {
            code[i].off = static_cast<std::int16_t>(code.size() - i - 1);
        }
    }
}

void append(Program& program, const Program& code) {
    program.insert(program.end(), code.begin(), code.end());
}

Program assemble_rule(const DeviceRule& rule) {
    auto out = match_device(rule);
    decide(out, rule);
    aim_skips(out);
    return out;
}

bool overlap(const DeviceRule& a, const DeviceRule& b) {
    return (a.type == b.type || a.type == 'a' || b.type == 'a') &&
           (a.major == b.major || !a.major || !b.major) &&
           (a.minor == b.minor || !a.minor || !b.minor);
}

// Whether at most one rule speaks of any device, to allow it.
bool is_plain_list(const std::vector<DeviceRule>& rules) {
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const auto overlaps = [&](const DeviceRule& other) { return overlap(rules[i], other); };
        const auto later = rules.begin() + static_cast<std::ptrdiff_t>(i) + 1;
        if (!rules[i].allow || std::any_of(later, rules.end(), overlaps)) {
            return false;
        }
    }
    return true;
}

// One device after the other.
Program match_in_turn(const std::vector<DeviceRule>& group) {
    Program out;
    for (const auto& rule : group) {
        DeviceRule any_type = rule;
        any_type.type = 'a';
        auto code = match_device(any_type);
        const bool whole_type = code.empty();
        answer(code, rule.allow ? 1 : 0);
        aim_skips(code);
        append(out, code);
        if (whole_type) {
            break;  // what follows is never reached, which the kernel refuses
        }
    }
    return out;
}

// All devices without a branch: equal numbers leave 0, which 1 less makes negative. What a group of many costs the
// kernel to check is a fifth of what as many branches do.
Program match_together(const std::vector<DeviceRule>& group) {
    Program out;
    out.push_back(with_constant(BPF_MOV, kFound, 0));
    for (const auto& rule : group) {
        const bool both = rule.major && rule.minor;
        const auto number = both ? *rule.major << kMinorBits | *rule.minor
                                 : rule.major.value_or(rule.minor.value_or(0));
        out.push_back(copy(kScratch, both ? kNumber : rule.major ? kMajor : kMinor));
        // In 32 bits, as an immediate is extended by its sign.
        out.push_back(instruction(
            BPF_ALU | BPF_XOR | BPF_K, kScratch, 0, 0, static_cast<std::int32_t>(number)));
        out.push_back(with_constant(BPF_SUB, kScratch, 1));
        out.push_back(with_register(BPF_OR, kFound, kScratch));
    }
    out.push_back(skip_when(BPF_JSGE, kFound, 0));
    answer(out, group.front().allow ? 1 : 0);
    return out;
}

// The devices of one type with one kind of access: both are asked for once. The kernel's check of a program costs by
// its branches, and is paid at every launch.
Program assemble_group(const std::vector<DeviceRule>& group) {
    constexpr std::size_t kMany = 3;
    const auto& first = group.front();
    Program out;
    if (first.type != 'a') {
        out.push_back(
            skip_unless(kType, first.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR));
    }
    if (const auto named = access_bits(first); named != kAllAccess) {
        out.push_back(copy(kScratch, kAccess));
        out.push_back(with_constant(BPF_AND, kScratch, kAllAccess & ~named));
        out.push_back(skip_unless(kScratch, 0));
    }
    const bool numbered = std::all_of(group.begin(), group.end(), [](const DeviceRule& rule) {
        return rule.major || rule.minor;
    });
    append(out, numbered && group.size() >= kMany ? match_together(group) : match_in_turn(group));
    aim_skips(out);
    return out;
}

void append_plain_list(Program& program, std::vector<DeviceRule> rules) {
    const auto group_of = [](const DeviceRule& rule) {
        return std::make_pair(rule.type, access_bits(rule));
    };
    std::stable_sort(rules.begin(), rules.end(), [&](const DeviceRule& a, const DeviceRule& b) {
        return group_of(a) < group_of(b);
    });
    for (auto begin = rules.cbegin(); begin != rules.cend();) {
        const auto end = std::find_if(begin, rules.cend(), [&](const DeviceRule& rule) {
            return group_of(rule) != group_of(*begin);
        });
        if (access_bits(*begin) != 0) {
            append(program, assemble_group({begin, end}));
        }
        begin = end;
    }
}

bool is_full(const DeviceRule& rule) {
    return access_bits(rule) == kAllAccess;
}

// Those of all access first, by type, each once. True: nothing gets past it.
bool append_run(Program& program, std::vector<DeviceRule> run) {
    // An absent number is less than any: a rule of a whole type is its group's first.
    const auto key = [](const DeviceRule& rule) {
        return std::make_tuple(
            !is_full(rule), rule.type, rule.major, rule.minor, access_bits(rule));
    };
    std::sort(run.begin(), run.end(), [&](const DeviceRule& a, const DeviceRule& b) {
        return key(a) < key(b);
    });
    run.erase(std::unique(run.begin(), run.end()), run.end());
    const auto is_everything = [](const DeviceRule& rule) {
        return is_full(rule) && rule.type == 'a' && !rule.major && !rule.minor;
    };
    if (std::any_of(run.begin(), run.end(), is_everything)) {
        answer(program, run.front().allow ? 1 : 0);
        return true;
    }
    auto begin = run.cbegin();
    while (begin != run.cend() && is_full(*begin)) {
        const auto end = std::find_if(begin, run.cend(), [&](const DeviceRule& rule) {
            return !is_full(rule) || rule.type != begin->type;
        });
        append(program, assemble_group({begin, end}));
        begin = end;
    }
    for (; begin != run.cend(); ++begin) {
        if (access_bits(*begin) != 0) {
            append(program, assemble_rule(*begin));
        }
    }
    return false;
}

}  // namespace

std::vector<DeviceRule> to_rules(const std::vector<DeviceAccess>& allowed) {
    std::vector<DeviceRule> rules;
    rules.reserve(allowed.size());
    for (const DeviceAccess& one : allowed) {
        rules.push_back({true, one.type, one.major, one.minor, one.read, one.write, one.make});
    }
    return rules;
}

base::Result<std::vector<struct bpf_insn>> assemble_device_program(
    const std::vector<DeviceRule>& rules) {
    constexpr std::size_t kRulesMax = 1024;
    if (rules.size() > kRulesMax) {
        return base::usage_error("more than " + std::to_string(kRulesMax) + " device rules");
    }
    for (const DeviceRule& rule : rules) {
        TRY(check(rule));
    }
    Program program;
    program.push_back(load(kType, offsetof(struct bpf_cgroup_dev_ctx, access_type)));
    program.push_back(load(kMajor, offsetof(struct bpf_cgroup_dev_ctx, major)));
    program.push_back(load(kMinor, offsetof(struct bpf_cgroup_dev_ctx, minor)));
    program.push_back(copy(kNumber, kMajor));
    program.push_back(with_constant(BPF_LSH, kNumber, kMinorBits));
    program.push_back(with_register(BPF_OR, kNumber, kMinor));
    program.push_back(copy(kAccess, kType));
    program.push_back(with_constant(BPF_RSH, kAccess, kAccessShift));
    program.push_back(with_constant(BPF_AND, kType, kTypeMask));
    const bool all_devices = std::any_of(rules.begin(), rules.end(), [](const DeviceRule& rule) {
        return rule.type == 'a' && !rule.major && !rule.minor;
    });
    if (!all_devices && is_plain_list(rules)) {
        append_plain_list(program, rules);
        answer(program, 0);
        return program;
    }
    // From the last, in runs of rules that all allow or all deny: within one their order says nothing.
    for (auto end = rules.rbegin(); end != rules.rend();) {
        const auto begin = end;
        end = std::find_if(begin, rules.rend(), [&](const DeviceRule& rule) {
            return rule.allow != begin->allow;
        });
        if (append_run(program, {begin, end})) {
            // All devices: the kernel refuses a program with code that is never reached.
            return program;
        }
    }
    answer(program, 0);
    return program;
}

}  // namespace warren::cgroups
