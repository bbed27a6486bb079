// How operands are written in a recipe's lines. Internal to isolation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace warren::isolation {

[[nodiscard]] std::string in_quotes(const std::string& text);
[[nodiscard]] std::string quoted_list(const std::vector<std::string>& texts);
[[nodiscard]] std::string hex(std::uint64_t value);
[[nodiscard]] std::string octal(mode_t value);
// The variables' names only: values may be secrets, and this text is printed.
[[nodiscard]] std::string variable_names(const std::vector<std::string>& env);
// child::kDirectory and its kin.
[[nodiscard]] std::string flag_words(std::uint16_t flags);
[[nodiscard]] std::string slot_word(std::uint32_t slot);

}  // namespace warren::isolation
