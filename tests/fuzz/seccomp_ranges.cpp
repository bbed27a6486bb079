// Any bytes as a classic BPF program: a filter that is made small answers as it did, or comes back as it was.
#include "isolation/seccomp_ranges.hpp"

#include <cstring>
#include <vector>

#include <linux/seccomp.h>

#include "tests/fuzz/target.hpp"
#include "tests/unit/isolation/bpf_interpreter.hpp"

// The first bytes are the call, the others the program.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    seccomp_data call{};
    if (size < sizeof call) {
        return 0;
    }
    std::memcpy(&call, data, sizeof call);
    std::vector<sock_filter> program((size - sizeof call) / sizeof(sock_filter));
    for (std::size_t at = 0; at < program.size(); ++at) {
        std::memcpy(
            &program[at], data + sizeof call + at * sizeof(sock_filter), sizeof(sock_filter));
    }
    const auto after = warren::isolation::to_ranges(program);
    warren::fuzz::require(after.size() <= program.size(), "no program grows");
    warren::fuzz::require(
        warren::test::run_bpf(program, call) == warren::test::run_bpf(after, call),
        "the answers are the same");
    return 0;
}
