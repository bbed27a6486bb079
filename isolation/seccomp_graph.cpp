#include "isolation/seccomp_graph.hpp"

#include <algorithm>
#include <utility>

namespace warren::isolation {

namespace {

constexpr std::uint32_t kWhole = 0xffffffff;

// One way to say a thing, so that what is equal is seen to be, and fewest instructions.
void normalise(SeccompGraph::Test& test) {
    if (test.op == BPF_JGT && test.value != kWhole) {
        test.op = BPF_JGE;
        ++test.value;
    }
    if (test.op == BPF_JSET) {
        test.value &= test.mask;
        test.mask = kWhole;
    }
    // "All bits of the mask are clear" takes no instruction for the mask.
    if (test.op == BPF_JEQ && test.value == 0 && test.mask != kWhole) {
        test.op = BPF_JSET;
        std::swap(test.value, test.mask);
        test.mask = kWhole;
        std::swap(test.yes, test.no);
    }
}

}  // namespace

// Writes the program from its end to its beginning: what a jump leads to is always there already.
// Places are counted from the end.
class SeccompAssembler {
public:
    explicit SeccompAssembler(const std::vector<SeccompGraph::Piece>& pieces)
        : pieces_(pieces), places_(pieces.size()) {}

    std::vector<sock_filter> run(SeccompGraph::Node root) {
        mark(root);
        for (SeccompGraph::Node node = 0; node <= root; ++node) {
            if (places_[node].wanted && !pieces_[node].is_answer) {
                write_test(node);
            }
        }
        if (pieces_[root].is_answer) {
            write_answer(root);
        }
        std::reverse(code_.begin(), code_.end());
        return std::move(code_);
    }

private:
    struct Places {
        bool wanted = false;
        bool written = false;    // an answer is when it is needed
        bool loads = false;      // somebody comes with another word in the accumulator
        std::size_t entry = 0;   // with any word; an answer has this one only
        std::size_t loaded = 0;  // with the test's own
    };

    [[nodiscard]] bool same_word(SeccompGraph::Node from, SeccompGraph::Node to) const {
        const auto& source = pieces_[from].test;
        const auto& target = pieces_[to].test;
        return !pieces_[to].is_answer && source.offset == target.offset &&
               source.mask == target.mask;
    }

    void mark(SeccompGraph::Node root) {
        places_[root].wanted = true;
        places_[root].loads = true;
        for (SeccompGraph::Node node = root + 1; node-- > 0;) {
            if (!places_[node].wanted || pieces_[node].is_answer) {
                continue;
            }
            for (const SeccompGraph::Node to : {pieces_[node].test.yes, pieces_[node].test.no}) {
                places_[to].wanted = true;
                places_[to].loads = places_[to].loads || !same_word(node, to);
            }
        }
    }

    std::size_t push(const sock_filter& instruction) {
        code_.push_back(instruction);
        return code_.size() - 1;
    }

    // How many instructions the next one to be written has to skip.
    [[nodiscard]] std::size_t distance(std::size_t place) const { return code_.size() - place - 1; }

    std::size_t& write_answer(SeccompGraph::Node node) {
        places_[node].written = true;
        places_[node].entry = push(BPF_STMT(BPF_RET | BPF_K, pieces_[node].action));
        return places_[node].entry;
    }

    // Where `to` is entered from `from`, near enough also when one more instruction comes between.
    std::size_t& reach(SeccompGraph::Node from, SeccompGraph::Node to) {
        constexpr std::size_t kFarthest = 254;
        std::size_t& place = same_word(from, to) ? places_[to].loaded : places_[to].entry;
        const bool answer = pieces_[to].is_answer;
        if (answer && (!places_[to].written || distance(place) > kFarthest)) {
            return write_answer(to);
        }
        if (!answer && distance(place) > kFarthest) {
            place = push(BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(distance(place))));
        }
        return place;
    }

    void write_test(SeccompGraph::Node node) {
        const SeccompGraph::Test& test = pieces_[node].test;
        const std::size_t& yes = reach(node, test.yes);
        const std::size_t& no = reach(node, test.no);
        const auto code = static_cast<std::uint16_t>(BPF_JMP | test.op | BPF_K);
        places_[node].loaded = push(BPF_JUMP(code,
                                             test.value,
                                             static_cast<std::uint8_t>(distance(yes)),
                                             static_cast<std::uint8_t>(distance(no))));
        if (!places_[node].loads) {
            return;
        }
        if (test.mask != kWhole) {
            push(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, test.mask));
        }
        places_[node].entry = push(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, test.offset));
    }

    const std::vector<SeccompGraph::Piece>& pieces_;
    std::vector<Places> places_;
    std::vector<sock_filter> code_;
};

SeccompGraph::Node SeccompGraph::place(const Key& key, const Piece& piece) {
    const auto [entry, is_new] = known_.try_emplace(key, static_cast<Node>(pieces_.size()));
    if (is_new) {
        pieces_.push_back(piece);
    }
    return entry->second;
}

SeccompGraph::Node SeccompGraph::answer(std::uint32_t action) {
    constexpr std::uint32_t kNoOp = 0xffff;  // no test has it
    return place({kNoOp, action, 0, 0, 0, 0}, {.is_answer = true, .action = action, .test = {}});
}

SeccompGraph::Node SeccompGraph::test(Test test) {
    if (test.yes == test.no) {
        return test.yes;
    }
    normalise(test);
    return place({test.op, test.offset, test.mask, test.value, test.yes, test.no}, {.test = test});
}

std::vector<sock_filter> SeccompGraph::assemble(Node root) const {
    return SeccompAssembler(pieces_).run(root);
}

}  // namespace warren::isolation
