// Runs a classic BPF program on one system call, as the kernel would: shows what a filter answers
// without making the call. Covers the instructions that libseccomp and we emit; any other fails the
// test.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include <linux/filter.h>
#include <linux/seccomp.h>

namespace warren::test {

inline bool bpf_jumps(std::uint16_t op, std::uint32_t accumulator, std::uint32_t k) {
    switch (op) {
        case BPF_JEQ:
            return accumulator == k;
        case BPF_JGT:
            return accumulator > k;
        case BPF_JGE:
            return accumulator >= k;
        default:
            return (accumulator & k) != 0;  // BPF_JSET
    }
}

// The program's answer (SECCOMP_RET_*), or nothing for a program that is not sound. `observe` is told each
// instruction before it runs.
template <typename Observer>
std::optional<std::uint32_t> run_bpf(const std::vector<sock_filter>& program,
                                     const seccomp_data& data,
                                     Observer&& observe) {
    std::uint32_t accumulator = 0;
    std::size_t at = 0;
    while (at < program.size()) {
        const sock_filter& now = program[at++];
        observe(now);
        switch (BPF_CLASS(now.code)) {
            case BPF_RET:
                return now.k;
            case BPF_LD:
                if (now.code != (BPF_LD | BPF_W | BPF_ABS) ||
                    now.k > sizeof data - sizeof accumulator || now.k % 4 != 0) {
                    return std::nullopt;
                }
                std::memcpy(
                    &accumulator, reinterpret_cast<const char*>(&data) + now.k, sizeof accumulator);
                break;
            case BPF_ALU:
                if (now.code != (BPF_ALU | BPF_AND | BPF_K)) {
                    return std::nullopt;
                }
                accumulator &= now.k;
                break;
            case BPF_JMP:
                if (BPF_OP(now.code) == BPF_JA) {
                    at += now.k;
                } else {
                    at += bpf_jumps(BPF_OP(now.code), accumulator, now.k) ? now.jt : now.jf;
                }
                break;
            default:
                return std::nullopt;
        }
    }
    return std::nullopt;
}

inline std::optional<std::uint32_t> run_bpf(const std::vector<sock_filter>& program,
                                            const seccomp_data& data) {
    return run_bpf(program, data, [](const sock_filter& /*now*/) {});
}

}  // namespace warren::test
