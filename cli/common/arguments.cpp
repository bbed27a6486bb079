#include "cli/common/arguments.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <utility>

#include <boost/program_options/cmdline.hpp>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>

namespace warren::cli {

namespace {

namespace po = boost::program_options;

constexpr std::array kHelpOptions{Option{"help", 0, "", "this text"}};
constexpr std::array kHelpGroup{OptionGroup{"Help", kHelpOptions}};

using Words = std::vector<std::string>;

class Grammar {
public:
    explicit Grammar(OptionGroups groups) : groups_(groups) {}

    [[nodiscard]] const Option* option(std::string_view name) const {
        const Option* found = find_option(groups_, name);
        return found != nullptr ? found : find_option(kHelpGroup, name);
    }

    // How many words from words[at] on belong to the option there: 1 or 2, and 0 for an operand.
    [[nodiscard]] std::size_t option_length(const Words& words, std::size_t at) const {
        const std::string& word = words[at];
        if (word.size() < 2 || word[0] != '-') {
            return 0;
        }
        if (word.starts_with("--")) {
            const bool joined = word.find('=') != std::string::npos;
            const Option* found = option(std::string_view(word).substr(2));
            return !joined && found != nullptr && !found->value.empty() ? 2 : 1;
        }
        for (std::size_t i = 1; i < word.size(); ++i) {
            const Option* found = find_letter(groups_, word[i]);
            if (found != nullptr && !found->value.empty()) {
                return i + 1 == word.size() ? 2 : 1;
            }
        }
        return 1;
    }

    // Where the options (and with !first_ends_options the operands among them) end.
    [[nodiscard]] std::size_t options_end(const Words& words, bool first_ends_options) const {
        std::size_t at = 0;
        while (at < words.size() && words[at] != "--") {
            const std::size_t length = option_length(words, at);
            if (length == 0 && first_ends_options) {
                break;
            }
            at += std::max<std::size_t>(length, 1);
        }
        return std::min(at, words.size());
    }

    [[nodiscard]] po::options_description description() const {
        po::options_description all;
        for (const OptionGroup& group : groups_) {
            for (const Option& option : group.options) {
                add(all, option);
            }
        }
        // A second one of the same name would be ambiguous.
        if (find_option(groups_, kHelpOptions.front().name) == nullptr) {
            add(all, kHelpOptions.front());
        }
        return all;
    }

private:
    static void add(po::options_description& all, const Option& option) {
        std::string names(option.name);
        if (option.letter != 0) {
            names += std::string(",") + option.letter;
        }
        if (option.value.empty()) {
            all.add_options()(names.c_str(), "");
        } else {
            all.add_options()(names.c_str(), po::value<std::string>(), "");
        }
    }

    OptionGroups groups_;
};

base::Error syntax_error(const po::invalid_syntax& error) {
    const std::string option = "option " + error.get_option_name();
    switch (error.kind()) {
        case po::invalid_syntax::missing_parameter:
        case po::invalid_syntax::empty_adjacent_parameter:
            return base::usage_error(option + " needs a value");
        case po::invalid_syntax::extra_parameter:
            return base::usage_error(option + " takes no value");
        default:
            return base::usage_error("cannot read " + option);
    }
}

base::Result<std::vector<po::option>> tokens(const Grammar& grammar, const Words& words) {
    using Style = po::command_line_style::style_t;
    constexpr int kStyle = Style::allow_long | Style::long_allow_adjacent | Style::long_allow_next |
                           Style::allow_short | Style::allow_dash_for_short |
                           Style::short_allow_adjacent | Style::short_allow_next |
                           Style::allow_sticky;
    try {
        const po::options_description description = grammar.description();
        return po::command_line_parser(words).options(description).style(kStyle).run().options;
    } catch (const po::unknown_option& error) {
        return base::usage_error("unknown option " + error.get_option_name());
    } catch (const po::invalid_syntax& error) {
        return syntax_error(error);
    } catch (const po::error& error) {
        return base::usage_error(error.what());
    }
}

// "--debug=true" -> "--debug", and "--debug=false" -> nothing.
base::Result<Words> without_truth_values(const Grammar& grammar, const Words& words) {
    constexpr std::array<std::string_view, 6> kTrue{"1", "t", "T", "true", "TRUE", "True"};
    constexpr std::array<std::string_view, 6> kFalse{"0", "f", "F", "false", "FALSE", "False"};
    const auto is_in = [](const auto& table, std::string_view text) {
        return std::find(table.begin(), table.end(), text) != table.end();
    };
    Words result;
    for (std::size_t at = 0; at < words.size();) {
        const std::string& word = words[at];
        const std::size_t equals = word.find('=');
        const bool joined = word.starts_with("--") && equals != std::string::npos;
        const Option* flag = joined ? grammar.option(word.substr(2, equals - 2)) : nullptr;
        if (flag != nullptr && flag->value.empty()) {
            const std::string value = word.substr(equals + 1);
            if (is_in(kTrue, value)) {
                result.push_back(word.substr(0, equals));
            } else if (!is_in(kFalse, value)) {
                return base::usage_error("option " + word + ": true or false is expected");
            }
            ++at;
            continue;
        }
        const std::size_t length = std::max<std::size_t>(grammar.option_length(words, at), 1);
        for (const std::size_t end = std::min(at + length, words.size()); at < end; ++at) {
            result.push_back(words[at]);
        }
    }
    return result;
}

// A value that is itself one of our options: "--image --memory 1G" forgot the image.
base::Status check_value(const Grammar& grammar, const po::option& token) {
    const std::string& value = token.value.front();
    const bool separate = token.original_tokens.size() == 2;
    if (separate && value.starts_with("--") &&
        (value == "--" || grammar.option(std::string_view(value).substr(2)) != nullptr)) {
        return base::usage_error("option " + token.original_tokens.front() + " needs a value");
    }
    return base::ok();
}

// `values`: what the option was given before.
base::Status add_value(const Grammar& grammar,
                       const po::option& token,
                       bool last_counts,
                       std::vector<std::string>& values) {
    const Option* option = grammar.option(token.string_key);
    if (option == nullptr || option->value.empty()) {
        return base::ok();
    }
    TRY(check_value(grammar, token));
    if (!values.empty() && !option->repeats) {
        if (!last_counts) {
            return base::usage_error("option --" + token.string_key + " is given twice");
        }
        values.clear();
    }
    values.push_back(token.value.front());
    return base::ok();
}

std::string plural(std::size_t count, std::string_view what) {
    return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

base::Status check_count(const Operands& rule, const Words& operands) {
    if (operands.size() > rule.max) {
        const std::string word = "'" + operands[rule.max] + "'";
        const std::string hint = rule.command ? " (a command goes behind --)" : "";
        return base::usage_error("unexpected argument " + word + hint);
    }
    if (operands.size() < rule.min) {
        return base::usage_error(rule.min == 1 ? std::string(rule.name) + " is missing"
                                               : plural(rule.min, rule.name) + " are needed");
    }
    return base::ok();
}

}  // namespace

base::Result<Arguments> Arguments::parse(OptionGroups groups,
                                         const Operands& operands,
                                         const std::vector<std::string>& words) {
    const Grammar grammar(groups);
    const std::size_t end = grammar.options_end(words, operands.first_ends_options);
    const auto cut = words.begin() + static_cast<std::ptrdiff_t>(end);
    Arguments result;
    Words own(words.begin(), cut);
    if (operands.go_style) {
        own = TRY(without_truth_values(grammar, own));
    }
    const std::vector<po::option> found = TRY(tokens(grammar, own));
    for (const po::option& token : found) {
        if (!token.string_key.empty()) {
            TRY(add_value(grammar, token, operands.go_style, result.options_[token.string_key]));
        } else if (token.original_tokens.front().starts_with("--")) {
            // "--=x" comes as an operand x.
            return base::usage_error("unknown option " + token.original_tokens.front());
        } else {
            std::copy(token.value.begin(), token.value.end(), std::back_inserter(result.operands_));
        }
    }
    Words rest(cut, words.end());
    const bool dashes = !rest.empty() && rest.front() == "--";
    if (dashes) {
        rest.erase(rest.begin());
    }
    // Behind "--" of a verb without a command stand operands that look like options.
    const bool operands_follow = operands.first_ends_options || !operands.command;
    while (operands_follow && !rest.empty() &&
           (!operands.command || result.operands_.size() < operands.max)) {
        result.operands_.push_back(std::move(rest.front()));
        rest.erase(rest.begin());
    }
    const bool operand_stands_before = operands.first_ends_options && !result.operands_.empty();
    if ((operand_stands_before || !dashes) && !rest.empty() && rest.front() == "--") {
        rest.erase(rest.begin());
    }
    result.command_ = std::move(rest);
    if (!result.has("help")) {
        TRY(check_count(operands, result.operands_));
    }
    return result;
}

bool Arguments::has(std::string_view option) const {
    return options_.contains(option);
}

std::optional<std::string> Arguments::value(std::string_view option) const {
    const auto found = options_.find(option);
    if (found == options_.end() || found->second.empty()) {
        return std::nullopt;
    }
    return found->second.back();
}

std::vector<std::string> Arguments::values(std::string_view option) const {
    const auto found = options_.find(option);
    return found == options_.end() ? std::vector<std::string>() : found->second;
}

}  // namespace warren::cli
