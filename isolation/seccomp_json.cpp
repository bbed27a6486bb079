#include "isolation/seccomp_json.hpp"

#include <algorithm>
#include <array>

namespace warren::isolation::seccomp_json {

namespace {

using base::JsonReader;

constexpr std::size_t kShownProblems = 20;
constexpr std::uint64_t kErrnoLimit = 4095;  // MAX_ERRNO
constexpr unsigned kArguments = 6;

template <typename Value, std::size_t N>
std::optional<Value> look_up(const std::array<std::pair<std::string_view, Value>, N>& table,
                             std::string_view name) {
    const auto entry = std::find_if(
        table.begin(), table.end(), [&](const auto& item) { return item.first == name; });
    return entry == table.end() ? std::nullopt : std::optional<Value>(entry->second);
}

void read_condition(const JsonReader& reader,
                    std::vector<SeccompCondition>& out,
                    Problems& problems) {
    constexpr std::array<std::pair<std::string_view, scmp_compare>, 7> kOperators = {{
        {"SCMP_CMP_NE", SCMP_CMP_NE},
        {"SCMP_CMP_LT", SCMP_CMP_LT},
        {"SCMP_CMP_LE", SCMP_CMP_LE},
        {"SCMP_CMP_EQ", SCMP_CMP_EQ},
        {"SCMP_CMP_GE", SCMP_CMP_GE},
        {"SCMP_CMP_GT", SCMP_CMP_GT},
        {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
    }};
    const auto index = problems.keep(reader.uint("index"));
    const auto value = problems.keep(reader.uint("value"));
    const auto value_two = problems.keep(reader.optional_uint("valueTwo"));
    const auto name = problems.keep(reader.string("op"));
    const auto op = name ? look_up(kOperators, *name) : std::nullopt;
    if (index && *index >= kArguments) {
        problems.add(
            reader, "index", "a system call has arguments 0 to 5, not " + std::to_string(*index));
    }
    if (name && !op) {
        problems.add(reader, "op", "unknown comparison \"" + *name + "\"");
    }
    if (index && *index < kArguments && value && value_two && op) {
        out.push_back({.index = static_cast<unsigned>(*index),
                       .op = *op,
                       .value = *value,
                       .value_two = value_two->value_or(0)});
    }
}

}  // namespace

void Problems::add(base::Error error) {
    if (!first_) {
        first_.emplace(std::move(error));
    } else if (count_ < kShownProblems) {
        first_->add_secondary(std::move(error));
    }
    ++count_;
}

void Problems::add(const JsonReader& reader, std::string_view key, std::string what) {
    add(base::usage_error(std::move(what)).with_place(reader.pointer() + "/" + std::string(key)));
}

base::Error Problems::take() {
    if (count_ > kShownProblems) {
        first_->add_secondary(
            base::usage_error(std::to_string(count_ - kShownProblems) + " more problems"));
    }
    return std::move(*first_);
}

std::optional<std::uint32_t> architecture_token(const std::string& name) {
    constexpr std::string_view kPrefix = "SCMP_ARCH_";
    if (!name.starts_with(kPrefix)) {
        return std::nullopt;
    }
    std::string lower = name.substr(kPrefix.size());
    for (char& c : lower) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    const std::uint32_t token = seccomp_arch_resolve_name(lower.c_str());
    return token == 0 ? std::nullopt : std::optional<std::uint32_t>(token);
}

std::optional<std::uint32_t> plain_action(std::string_view name, std::uint16_t error) {
    constexpr std::array<std::pair<std::string_view, std::uint32_t>, 6> kPlain = {{
        {"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD},
        {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
        {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
        {"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
        {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW},
        {"SCMP_ACT_LOG", SCMP_ACT_LOG},
    }};
    if (name == "SCMP_ACT_ERRNO") {
        return SCMP_ACT_ERRNO(error);
    }
    if (name == "SCMP_ACT_TRACE") {
        return SCMP_ACT_TRACE(error);
    }
    return look_up(kPlain, name);
}

std::optional<std::uint16_t> read_error_number(const JsonReader& reader,
                                               const char* key,
                                               Problems& problems) {
    const auto number = problems.keep(reader.optional_uint(key));
    if (!number || !*number) {
        return std::nullopt;
    }
    if (**number > kErrnoLimit) {
        problems.add(reader, key, "error number " + std::to_string(**number) + " is above 4095");
        return std::nullopt;
    }
    return static_cast<std::uint16_t>(**number);
}

std::vector<SeccompCondition> read_conditions(const JsonReader& call, Problems& problems) {
    std::vector<SeccompCondition> conditions;
    for (const JsonReader& argument :
         problems.keep(call.objects("args")).value_or(std::vector<JsonReader>())) {
        read_condition(argument, conditions, problems);
    }
    return conditions;
}

void append_rule(SeccompRule rule, std::vector<SeccompRule>& out) {
    std::array<unsigned, kArguments> uses{};
    for (const SeccompCondition& condition : rule.conditions) {
        ++uses.at(condition.index);
    }
    if (std::all_of(uses.begin(), uses.end(), [](unsigned count) { return count <= 1; })) {
        out.push_back(std::move(rule));
        return;
    }
    for (const SeccompCondition& condition : rule.conditions) {
        out.push_back({rule.names, rule.action, {condition}});
    }
}

void check_size(const SeccompRules& rules, const JsonReader& root, Problems& problems) {
    std::size_t calls = 0;
    for (const SeccompRule& rule : rules.rules) {
        calls += rule.names.size();
    }
    if (calls > kRuleLimit) {
        problems.add(root, "syscalls", "more than " + std::to_string(kRuleLimit) + " rules");
    }
}

}  // namespace warren::isolation::seccomp_json
