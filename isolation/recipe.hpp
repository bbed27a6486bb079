// A recipe: everything a child does between clone and exec, as a flat list of typed steps that the parent computed
// beforehand. The child walks the list in one switch (child/interpreter.cpp) and never allocates, locks, logs or
// looks anything up. A step names the place in the configuration it stems from (its site), which stays in the
// parent: a failing step comes home as {step, op, errno} and is turned into words here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "isolation/child/step.hpp"
#include "isolation/seccomp.hpp"
#include "isolation/types.hpp"

namespace warren::isolation {

// Owns all memory its steps point to; move-only, immutable once built.
class Recipe {
public:
    Recipe(Recipe&&) = default;
    Recipe& operator=(Recipe&&) = default;
    Recipe(const Recipe&) = delete;
    Recipe& operator=(const Recipe&) = delete;
    ~Recipe() = default;

    [[nodiscard]] const std::vector<child::Step>& steps() const { return steps_; }

    // "mounts[3]: mount proc on /proc" for the step at `index`.
    [[nodiscard]] const std::string& site(std::size_t index) const { return sites_.at(index); }

    // The same as the child carries them along, ending with none: for who hears of a step without the recipe.
    [[nodiscard]] const char* const* site_texts() const { return site_texts_.data(); }

    // The program of the last step as it was asked for: argv[0].
    [[nodiscard]] const std::string& program() const { return program_; }

    // How many descriptors the release must carry.
    [[nodiscard]] std::uint32_t released_slots() const { return released_slots_; }

    // One line a step, stable: for --dry-run and golden tests.
    [[nodiscard]] std::string describe() const;

private:
    friend class RecipeBuilder;
    Recipe() = default;
    std::vector<child::Step> steps_;
    std::vector<std::string> sites_;
    std::vector<const char*> site_texts_;
    std::vector<std::string> lines_;
    std::deque<std::string> strings_;
    std::deque<std::vector<char*>> vectors_;
    std::deque<std::vector<std::byte>> blobs_;
    std::string program_;
    std::uint32_t released_slots_ = 0;
};

}  // namespace warren::isolation
