#include "isolation/seccomp_ranges.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include <linux/seccomp.h>

#include "isolation/seccomp_graph.hpp"
#include "isolation/seccomp_tree.hpp"

namespace warren::isolation {

namespace {

using Node = SeccompGraph::Node;

constexpr std::uint32_t kNumberAt = offsetof(seccomp_data, nr);
constexpr std::uint32_t kArchitectureAt = offsetof(seccomp_data, arch);

bool is_compare(std::uint16_t code) {
    if (BPF_CLASS(code) != BPF_JMP || BPF_SRC(code) != BPF_K) {
        return false;
    }
    const auto op = BPF_OP(code);
    return op == BPF_JEQ || op == BPF_JGE || op == BPF_JGT || op == BPF_JSET;
}

// An instruction that we know, of which execution goes on inside the program.
bool is_sound(const sock_filter& instruction, std::size_t after, std::size_t size) {
    switch (instruction.code) {
        case BPF_RET | BPF_K:
            return true;
        case BPF_LD | BPF_W | BPF_ABS:
            return after < size && instruction.k % 4 == 0 && instruction.k < sizeof(seccomp_data);
        case BPF_ALU | BPF_AND | BPF_K:
            return after < size;
        case BPF_JMP | BPF_JA:
            return instruction.k < size - after;
        default:
            return is_compare(instruction.code) &&
                   std::max(instruction.jt, instruction.jf) < size - after;
    }
}

bool is_sound(const std::vector<sock_filter>& program) {
    for (std::size_t at = 0; at < program.size(); ++at) {
        if (!is_sound(program[at], at + 1, program.size())) {
            return false;
        }
    }
    return !program.empty();
}

// First values of the ranges of a word between which the program never distinguishes.
struct Boundaries {
    std::set<std::uint32_t> numbers = {0};
    std::set<std::uint32_t> architectures = {0};
};

// Which words the accumulator may hold before an instruction, over all paths: a set of bits.
constexpr unsigned kHoldsNothing = 1;
constexpr unsigned kHoldsNumber = 2;
constexpr unsigned kHoldsArchitecture = 4;
constexpr unsigned kHoldsOther = 8;

unsigned held_after_load(std::uint32_t offset) {
    switch (offset) {
        case kNumberAt:
            return kHoldsNumber;
        case kArchitectureAt:
            return kHoldsArchitecture;
        default:
            return kHoldsOther;
    }
}

void add_boundaries(std::set<std::uint32_t>& boundaries, const sock_filter& compare) {
    const bool equal = BPF_OP(compare.code) == BPF_JEQ;
    if (equal || BPF_OP(compare.code) == BPF_JGE) {
        boundaries.insert(compare.k);
    }
    if (equal || BPF_OP(compare.code) == BPF_JGT) {
        boundaries.insert(compare.k +
                          1);  // after the last value there is 0, which is there already
    }
}

// Nothing when a number or an instruction set is not only compared with constants.
std::optional<Boundaries> find_boundaries(const std::vector<sock_filter>& program) {
    Boundaries out;
    std::vector<unsigned> held(program.size());
    held[0] = kHoldsNothing;
    for (std::size_t at = 0; at < program.size(); ++at) {
        const sock_filter& now = program[at];
        const bool fixed = (held[at] & (kHoldsNumber | kHoldsArchitecture)) != 0;
        const bool bits =
            now.code == (BPF_ALU | BPF_AND | BPF_K) || now.code == (BPF_JMP | BPF_JSET | BPF_K);
        if (fixed && bits) {
            return std::nullopt;
        }
        if (held[at] == 0 || now.code == (BPF_RET | BPF_K)) {
            continue;
        }
        if (now.code == (BPF_LD | BPF_W | BPF_ABS)) {
            held[at + 1] |= held_after_load(now.k);
        } else if (now.code == (BPF_JMP | BPF_JA)) {
            held[at + 1 + now.k] |= held[at];
        } else if (is_compare(now.code)) {
            held[at + 1 + now.jt] |= held[at];
            held[at + 1 + now.jf] |= held[at];
            if ((held[at] & kHoldsNumber) != 0) {
                add_boundaries(out.numbers, now);
            }
            if ((held[at] & kHoldsArchitecture) != 0) {
                add_boundaries(out.architectures, now);
            }
        } else {
            held[at + 1] |= held[at];
        }
    }
    return out;
}

// What the accumulator holds: a value, or some bits of a word that is only known when a call is made.
struct Accumulator {
    bool known = true;
    std::uint32_t value = 0;
    std::uint32_t offset = 0;
    std::uint32_t mask = 0;
};

// Before the instruction `at`.
struct State {
    std::size_t at = 0;
    Accumulator accumulator;

    friend bool operator<(const State& a, const State& b) {
        const auto tie = [](const State& state) {
            const Accumulator& now = state.accumulator;
            return std::tuple(state.at, now.known, now.value, now.offset, now.mask);
        };
        return tie(a) < tie(b);
    }
};

bool holds(std::uint16_t op, std::uint32_t value, std::uint32_t k) {
    switch (op) {
        case BPF_JEQ:
            return value == k;
        case BPF_JGE:
            return value >= k;
        case BPF_JGT:
            return value > k;
        default:
            return (value & k) != 0;
    }
}

// The outcome of a comparison, where it does not depend on bits that are not known.
std::optional<bool> outcome(const Accumulator& accumulator, std::uint16_t op, std::uint32_t k) {
    if (accumulator.known) {
        return holds(op, accumulator.value, k);
    }
    const std::uint32_t mask = accumulator.mask;  // the highest value, too
    const bool never = (op == BPF_JEQ && (k & ~mask) != 0) || (op == BPF_JGE && k > mask) ||
                       (op == BPF_JGT && k >= mask) || (op == BPF_JSET && (k & mask) == 0);
    if (never) {
        return false;
    }
    return op == BPF_JGE && k == 0 ? std::optional(true) : std::nullopt;
}

// Runs the program for one number of one instruction set, and leaves what depends on other words as
// tests in the graph.
class Evaluator {
public:
    Evaluator(const std::vector<sock_filter>& program, SeccompGraph& graph)
        : program_(program), graph_(graph) {}

    // Nothing: it takes too long.
    std::optional<Node> run(std::uint32_t architecture, std::uint32_t number) {
        architecture_ = architecture;
        number_ = number;
        const State start = advance({});
        if (is_answer(start)) {
            return fuel_ == 0 ? std::nullopt : std::optional(answer(start));
        }
        collect(start);
        return fuel_ == 0 ? std::nullopt : std::optional(connect(start));
    }

private:
    struct Branch {
        State yes, no;
    };

    [[nodiscard]] bool is_answer(const State& state) const {
        return BPF_CLASS(program_[state.at].code) == BPF_RET;
    }

    Node answer(const State& state) { return graph_.answer(program_[state.at].k); }

    [[nodiscard]] Accumulator load(std::uint32_t offset) const {
        switch (offset) {
            case kNumberAt:
                return {.value = number_};
            case kArchitectureAt:
                return {.value = architecture_};
            default:
                return {.known = false, .offset = offset, .mask = 0xffffffff};
        }
    }

    static void keep_bits(Accumulator& accumulator, std::uint32_t mask) {
        accumulator.value &= mask;
        accumulator.mask &= mask;
        if (accumulator.mask == 0) {
            accumulator = {.value = accumulator.value};
        }
    }

    // On to the next answer or undecided comparison.
    State advance(State state) {
        while (fuel_ != 0) {
            --fuel_;
            const sock_filter& now = program_[state.at];
            if (now.code == (BPF_RET | BPF_K)) {
                break;
            }
            if (is_compare(now.code)) {
                const auto result = outcome(state.accumulator, BPF_OP(now.code), now.k);
                if (!result) {
                    break;
                }
                state.at += *result ? now.jt : now.jf;
            } else if (now.code == (BPF_JMP | BPF_JA)) {
                state.at += now.k;
            } else if (now.code == (BPF_LD | BPF_W | BPF_ABS)) {
                state.accumulator = load(now.k);
            } else {
                keep_bits(state.accumulator, now.k);
            }
            ++state.at;
        }
        return state;
    }

    // All comparisons that can be reached. Jumps only lead forward, and so does the order of states.
    void collect(const State& start) {
        branches_.clear();
        std::set<State> open = {start};
        while (!open.empty() && fuel_ != 0) {
            const State state = *open.begin();
            open.erase(open.begin());
            const sock_filter& now = program_[state.at];
            const Branch branch{advance({state.at + 1 + now.jt, state.accumulator}),
                                advance({state.at + 1 + now.jf, state.accumulator})};
            branches_.emplace(state, branch);
            for (const State& next : {branch.yes, branch.no}) {
                if (!is_answer(next)) {
                    open.insert(next);
                }
            }
        }
    }

    Node connect(const State& start) {
        std::map<State, Node> made;
        const auto node_of = [&](const State& state) {
            return is_answer(state) ? answer(state) : made.at(state);
        };
        for (auto entry = branches_.rbegin(); entry != branches_.rend(); ++entry) {
            const auto& [state, branch] = *entry;
            const sock_filter& now = program_[state.at];
            made[state] = graph_.test({.offset = state.accumulator.offset,
                                       .mask = state.accumulator.mask,
                                       .op = static_cast<std::uint16_t>(BPF_OP(now.code)),
                                       .value = now.k,
                                       .yes = node_of(branch.yes),
                                       .no = node_of(branch.no)});
        }
        return made.at(start);
    }

    const std::vector<sock_filter>& program_;
    SeccompGraph& graph_;
    std::uint32_t architecture_ = 0;
    std::uint32_t number_ = 0;
    std::uint64_t fuel_ = std::uint64_t{1} << 22U;  // instructions; some milliseconds
    std::map<State, Branch> branches_;
};

// Of one instruction set.
struct Numbers {
    std::uint32_t architecture = 0;
    std::vector<SeccompRange> ranges;
};

// Every number of every instruction set. Nothing: it takes too long.
std::optional<std::vector<Numbers>> evaluate(const std::vector<sock_filter>& program,
                                             const Boundaries& boundaries,
                                             SeccompGraph& graph) {
    Evaluator evaluator(program, graph);
    std::vector<Numbers> out;
    for (const std::uint32_t architecture : boundaries.architectures) {
        Numbers& numbers = out.emplace_back();
        numbers.architecture = architecture;
        for (const std::uint32_t number : boundaries.numbers) {
            const auto node = evaluator.run(architecture, number);
            if (!node) {
                return std::nullopt;
            }
            append_range(numbers.ranges, number, *node);
        }
    }
    return out;
}

// The same pieces in another graph, where tests of one word became trees.
std::optional<std::map<Node, Node>> with_trees(const std::vector<Numbers>& all,
                                               const SeccompGraph& from,
                                               SeccompGraph& to) {
    std::set<Node> roots;
    for (const Numbers& numbers : all) {
        for (const SeccompRange& range : numbers.ranges) {
            roots.insert(range.node);
        }
    }
    return make_trees(from, roots, to);
}

}  // namespace

std::vector<sock_filter> to_ranges(const std::vector<sock_filter>& program) {
    if (!is_sound(program)) {
        return program;
    }
    const auto boundaries = find_boundaries(program);
    if (!boundaries) {
        return program;
    }
    SeccompGraph chains;
    const auto all = evaluate(program, *boundaries, chains);
    if (!all) {
        return program;
    }
    SeccompGraph graph;
    const auto trees = with_trees(*all, chains, graph);
    if (!trees) {
        return program;
    }
    std::vector<SeccompRange> architectures;
    for (const Numbers& numbers : *all) {
        std::vector<SeccompRange> ranges;
        for (const SeccompRange& range : numbers.ranges) {
            append_range(ranges, range.first, trees->at(range.node));
        }
        append_range(architectures, numbers.architecture, make_tree(graph, kNumberAt, ranges));
    }
    auto smaller = graph.assemble(make_tree(graph, kArchitectureAt, architectures));
    return smaller.size() < program.size() ? smaller : program;
}

}  // namespace warren::isolation
