// A command line, taken apart by tables: Boost.Program_options finds the options and their values, and is fenced here,
// since it throws. Every error is of kind Usage and names the option or the operand.
//
// Nothing is guessed: an abbreviated option is an unknown one. A value stands behind its option ("--memory 1G") or in
// it ("--memory=1G"); letters may be joined ("-it", "-uroot").
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/common/option.hpp"

namespace warren::cli {

struct Operands {
    std::string_view name = "NAME";  // what one of them is, for errors
    std::size_t min = 0;
    std::size_t max = 0;
    // A command may follow: behind "--", and with `first_ends_options` behind the last operand. Its words are untouched.
    bool command = false;
    // Options end at the first operand: "exec web1 ls -l" gives -l to ls.
    bool first_ends_options = false;
    // As Go's flag package has it, for engines that count on that: of an option given twice the last counts, and a
    // flag may be given a truth value, "--debug=false".
    bool go_style = false;
};

inline constexpr std::size_t kAnyNumber = static_cast<std::size_t>(-1);

// A value.
class Arguments {
public:
    // "--help" is always known; with it, operands are not counted.
    [[nodiscard]] static base::Result<Arguments> parse(OptionGroups groups,
                                                       const Operands& operands,
                                                       const std::vector<std::string>& words);

    [[nodiscard]] bool has(std::string_view option) const;
    [[nodiscard]] std::optional<std::string> value(std::string_view option) const;
    // In the order given; empty when absent.
    [[nodiscard]] std::vector<std::string> values(std::string_view option) const;

    [[nodiscard]] bool no_options() const { return options_.empty(); }

    [[nodiscard]] const std::vector<std::string>& operands() const { return operands_; }

    [[nodiscard]] const std::vector<std::string>& command() const { return command_; }

private:
    std::map<std::string, std::vector<std::string>, std::less<>> options_;  // a flag has no values
    std::vector<std::string> operands_;
    std::vector<std::string> command_;
};

// Puts "option --NAME" in front of an error of a value's parser.
template <typename T>
[[nodiscard]] base::Result<T> at_option(std::string_view option, base::Result<T>&& result) {
    if (!result) {
        return std::move(result).error().with_place("option --" + std::string(option));
    }
    return std::move(result);
}

}  // namespace warren::cli
