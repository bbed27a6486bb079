#include "isolation/recipe.hpp"

namespace warren::isolation {

std::string Recipe::describe() const {
    std::string text;
    for (const auto& line : lines_) {
        text += line;
        text += '\n';
    }
    return text;
}

}  // namespace warren::isolation
