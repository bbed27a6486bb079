#include "isolation/seccomp_tree.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>

namespace warren::isolation {

namespace {

using Node = SeccompGraph::Node;

constexpr std::uint32_t kLast = 0xffffffff;

// Balanced over runs of ranges that lead to one place but for a few single values: each of those costs a comparison,
// a boundary on either side would be two.
class Tree {
public:
    Tree(SeccompGraph& graph, std::uint32_t offset, std::span<const SeccompRange> ranges)
        : graph_(graph), offset_(offset), ranges_(ranges) {}

    Node build() {
        find_runs();
        return build(0, runs_.size());
    }

private:
    static constexpr std::size_t kSingles = 5;  // of a run, which is walked in order

    [[nodiscard]] bool is_single(std::size_t at) const {
        return at + 1 < ranges_.size() ? ranges_[at + 1].first - ranges_[at].first == 1
                                       : ranges_[at].first == 0xffffffff;
    }

    // Fewest comparisons for the ranges up to each, by the best beginning of the run that ends there.
    void find_runs() {
        const std::size_t count = ranges_.size();
        std::vector<std::size_t> costs(count + 1, SIZE_MAX);
        std::vector<std::size_t> begins(count + 1);
        costs[0] = 0;
        for (std::size_t begin = 0; begin < count; ++begin) {
            std::size_t singles = 0;
            for (std::size_t end = begin; end < count; ++end) {
                if (ranges_[end].node != ranges_[begin].node) {
                    if (!is_single(end) || ++singles > kSingles) {
                        break;
                    }
                }
                const std::size_t cost = costs[begin] + singles + 1;
                if (cost < costs[end + 1]) {
                    costs[end + 1] = cost;
                    begins[end + 1] = begin;
                }
            }
        }
        for (std::size_t end = count; end > 0; end = begins[end]) {
            runs_.push_back({begins[end], end});
        }
        std::reverse(runs_.begin(), runs_.end());
    }

    Node build(std::size_t begin, std::size_t end) {
        if (end - begin == 1) {
            return build_run(runs_[begin].first, runs_[begin].second);
        }
        const std::size_t middle = begin + (end - begin) / 2;
        const Node no = build(begin, middle);
        const Node yes = build(middle, end);
        return graph_.test({.offset = offset_,
                            .op = BPF_JGE,
                            .value = ranges_[runs_[middle].first].first,
                            .yes = yes,
                            .no = no});
    }

    Node build_run(std::size_t begin, std::size_t end) {
        Node out = ranges_[begin].node;
        for (std::size_t at = begin + 1; at < end; ++at) {
            if (ranges_[at].node != ranges_[begin].node) {
                out = graph_.test({.offset = offset_,
                                   .op = BPF_JEQ,
                                   .value = ranges_[at].first,
                                   .yes = ranges_[at].node,
                                   .no = out});
            }
        }
        return out;
    }

    SeccompGraph& graph_;
    std::uint32_t offset_;
    std::span<const SeccompRange> ranges_;
    std::vector<std::pair<std::size_t, std::size_t>> runs_;
};

struct Interval {
    std::uint32_t first = 0;
    std::uint32_t last = 0;

    [[nodiscard]] bool has(std::uint32_t value) const { return first <= value && value <= last; }
};

// All bits above some place.
bool is_upper(std::uint32_t mask) {
    return (~mask & (~mask + 1)) == 0;
}

// The values of the word that the test takes, when they are all in one piece.
std::optional<Interval> values_of(const SeccompGraph::Test& test) {
    switch (test.op) {
        case BPF_JEQ:
            if (is_upper(test.mask) && (test.value & ~test.mask) == 0) {
                return Interval{test.value, test.value | ~test.mask};
            }
            break;
        case BPF_JGE:
            if (test.mask == kLast) {
                return Interval{test.value, kLast};
            }
            break;
        case BPF_JSET:
            if (test.mask == kLast && test.value != 0 && is_upper(test.value)) {
                return Interval{~test.value + 1, kLast};
            }
            break;
        default:
            break;
    }
    return std::nullopt;
}

class Trees {
public:
    Trees(const SeccompGraph& from, SeccompGraph& to) : from_(from), to_(to) {}

    std::optional<std::map<Node, Node>> make(const std::set<Node>& roots) {
        std::set<Node, std::greater<>> entries(roots.begin(), roots.end());
        // What a node leads to is smaller, and therefore still to come.
        for (const Node entry : entries) {
            if (!from_.is_answer(entry)) {
                const auto exits = exits_of(entry);
                entries.insert(exits.begin(), exits.end());
            }
        }
        std::map<Node, Node> made;
        for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
            const Node node = make(*entry, made);
            if (fuel_ == 0) {
                return std::nullopt;
            }
            made[*entry] = node;
        }
        return made;
    }

private:
    [[nodiscard]] bool is_of_word(Node node, std::uint32_t offset) const {
        return !from_.is_answer(node) && from_.test_of(node).offset == offset &&
               values_of(from_.test_of(node)).has_value();
    }

    // The tests of the entry's word that follow one another from there, the entry first.
    [[nodiscard]] std::vector<Node> tests_of(Node entry) const {
        const std::uint32_t offset = from_.test_of(entry).offset;
        std::vector<Node> out;
        std::set<Node, std::greater<>> open = {entry};
        while (!open.empty()) {
            const Node node = *open.begin();
            open.erase(open.begin());
            out.push_back(node);
            for (const Node to : {from_.test_of(node).yes, from_.test_of(node).no}) {
                if (is_of_word(to, offset)) {
                    open.insert(to);
                }
            }
        }
        return out;
    }

    [[nodiscard]] std::set<Node> exits_of(Node entry) const {
        const SeccompGraph::Test& first = from_.test_of(entry);
        if (!values_of(first)) {
            return {first.yes, first.no};
        }
        std::set<Node> out;
        for (const Node node : tests_of(entry)) {
            for (const Node to : {from_.test_of(node).yes, from_.test_of(node).no}) {
                if (!is_of_word(to, first.offset)) {
                    out.insert(to);
                }
            }
        }
        return out;
    }

    [[nodiscard]] Node make(Node entry, const std::map<Node, Node>& made) {
        if (from_.is_answer(entry)) {
            return to_.answer(from_.action_of(entry));
        }
        SeccompGraph::Test test = from_.test_of(entry);
        if (!values_of(test)) {
            test.yes = made.at(test.yes);
            test.no = made.at(test.no);
            return to_.test(test);
        }
        std::set<std::uint32_t> boundaries = {0};
        for (const Node node : tests_of(entry)) {
            const auto values = *values_of(from_.test_of(node));
            boundaries.insert(values.first);
            boundaries.insert(values.last +
                              1);  // after the last value there is 0, which is there already
        }
        std::vector<SeccompRange> ranges;
        for (const std::uint32_t value : boundaries) {
            const Node out = follow(entry, test.offset, value);
            if (fuel_ == 0) {
                return out;
            }
            append_range(ranges, value, made.at(out));
        }
        return make_tree(to_, test.offset, ranges);
    }

    // The exit for a value of the word; any node when it takes too long.
    [[nodiscard]] Node follow(Node node, std::uint32_t offset, std::uint32_t value) {
        while (fuel_ != 0 && is_of_word(node, offset)) {
            --fuel_;
            const SeccompGraph::Test& test = from_.test_of(node);
            node = values_of(test)->has(value) ? test.yes : test.no;
        }
        return node;
    }

    const SeccompGraph& from_;
    SeccompGraph& to_;
    std::uint64_t fuel_ = std::uint64_t{1} << 22U;  // tests; some milliseconds
};

}  // namespace

void append_range(std::vector<SeccompRange>& ranges, std::uint32_t first, SeccompGraph::Node node) {
    if (ranges.empty() || ranges.back().node != node) {
        ranges.push_back({first, node});
    }
}

SeccompGraph::Node make_tree(SeccompGraph& graph,
                             std::uint32_t offset,
                             std::span<const SeccompRange> ranges) {
    return Tree(graph, offset, ranges).build();
}

std::optional<std::map<SeccompGraph::Node, SeccompGraph::Node>> make_trees(
    const SeccompGraph& from, const std::set<SeccompGraph::Node>& roots, SeccompGraph& to) {
    return Trees(from, to).make(roots);
}

}  // namespace warren::isolation
