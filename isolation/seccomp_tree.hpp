// Tests of one word of struct seccomp_data as a balanced tree over ranges of its values. Pure. Internal to
// isolation.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "isolation/seccomp_graph.hpp"

namespace warren::isolation {

// The values from `first` on, up to the next range's.
struct SeccompRange {
    std::uint32_t first = 0;
    SeccompGraph::Node node = 0;
};

// Joins it to the last one where that leads to the same place. Ranges begin with 0 and rise.
void append_range(std::vector<SeccompRange>& ranges, std::uint32_t first, SeccompGraph::Node node);

// `ranges`: at least one, made by append_range().
[[nodiscard]] SeccompGraph::Node make_tree(SeccompGraph& graph,
                                           std::uint32_t offset,
                                           std::span<const SeccompRange> ranges);

// Takes the `roots` and all they lead to over to another graph, and makes a tree of tests that follow one
// another and look at the same word. Each root and what it became; nothing when there are too many
// tests.
[[nodiscard]] std::optional<std::map<SeccompGraph::Node, SeccompGraph::Node>> make_trees(
    const SeccompGraph& from, const std::set<SeccompGraph::Node>& roots, SeccompGraph& to);

}  // namespace warren::isolation
