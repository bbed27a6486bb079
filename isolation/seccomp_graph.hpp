// A system call filter as a graph of tests on 32-bit words of struct seccomp_data, and the classic BPF
// program that such a graph becomes. Internal to isolation. bpf(2) "classic BPF", seccomp(2),
// linux/filter.h.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include <linux/filter.h>

namespace warren::isolation {

class SeccompGraph {
public:
    // Names an answer or a test of this graph. What it leads to has smaller ones.
    using Node = std::uint32_t;

    // Takes `yes` when (word at `offset` & mask) compares to `value` as `op` says: BPF_JEQ, BPF_JGE,
    // BPF_JGT or BPF_JSET.
    struct Test {
        std::uint32_t offset = 0;
        std::uint32_t mask = 0xffffffff;
        std::uint16_t op = BPF_JEQ;
        std::uint32_t value = 0;
        Node yes = 0;
        Node no = 0;
    };

    // SECCOMP_RET_*, with its data.
    [[nodiscard]] Node answer(std::uint32_t action);
    // Equal tests are one node, and one that makes no difference is none.
    [[nodiscard]] Node test(Test test);

    [[nodiscard]] bool is_answer(Node node) const { return pieces_[node].is_answer; }

    [[nodiscard]] std::uint32_t action_of(Node answer) const { return pieces_[answer].action; }

    [[nodiscard]] const Test& test_of(Node test) const { return pieces_[test].test; }

    // Every piece stands in the program once, whatever leads to it; only answers and jumps are
    // repeated, where a conditional jump (255 instructions at most) would not reach. Cannot fail; the
    // caller looks at the size.
    [[nodiscard]] std::vector<sock_filter> assemble(Node root) const;

private:
    struct Piece {
        bool is_answer = false;
        std::uint32_t action = 0;
        Test test;
    };

    using Key = std::array<std::uint32_t, 6>;

    [[nodiscard]] Node place(const Key& key, const Piece& piece);

    std::vector<Piece> pieces_;
    std::map<Key, Node> known_;

    friend class SeccompAssembler;
};

}  // namespace warren::isolation
