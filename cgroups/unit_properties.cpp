#include "cgroups/unit_properties.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "base/units.hpp"
#include "cgroups/limits.hpp"

namespace warren::cgroups {

namespace {

std::optional<std::uint64_t> parse_number(std::string_view text) {
    const auto number = base::parse_uint(text, 0, UINT64_MAX);
    return number ? std::optional(number.value()) : std::nullopt;
}

// What systemd calls infinity.
std::optional<std::uint64_t> parse_maximum(std::string_view text) {
    return text == "max" ? std::optional(UINT64_MAX) : parse_number(text);
}

void set(std::vector<UnitProperty>& properties, UnitProperty property) {
    const auto same = std::find_if(properties.begin(), properties.end(), [&](const auto& one) {
        return one.name == property.name;
    });
    if (same == properties.end()) {
        properties.push_back(std::move(property));
    } else {
        same->value = std::move(property.value);
    }
}

// systemd counts in whole per cent of a CPU: rounded up, so that what the file allows stays allowed.
std::optional<std::uint64_t> quota_per_second(std::uint64_t quota, std::uint64_t period) {
    constexpr std::uint64_t kSecond = 1'000'000;
    constexpr std::uint64_t kPerCent = 10'000;
    constexpr std::uint64_t kQuotaMax = std::numeric_limits<std::uint64_t>::max() / kSecond;
    if (period == 0 || quota == 0 || quota > kQuotaMax) {
        return std::nullopt;
    }
    const auto exact = quota * kSecond / period;
    return (exact + kPerCent - 1) / kPerCent * kPerCent;
}

void add_bandwidth(std::vector<UnitProperty>& properties, std::string_view text) {
    constexpr std::uint64_t kDefaultPeriod = 100'000;
    const auto blank = std::min(text.find(' '), text.size());
    const auto quota = parse_maximum(text.substr(0, blank));
    auto period = std::optional(kDefaultPeriod);
    if (blank != text.size()) {
        period = parse_number(text.substr(blank + 1));
    }
    if (!quota || !period) {
        return;
    }
    const auto per_second = *quota == UINT64_MAX ? quota : quota_per_second(*quota, *period);
    if (!per_second) {
        return;
    }
    set(properties, {"CPUQuotaPerSecUSec", *per_second});
    if (blank != text.size()) {
        set(properties, {"CPUQuotaPeriodUSec", *period});
    }
}

// "3" or "0-3", as a normalised list has them.
bool add_range(Bytes& mask, std::string_view range) {
    constexpr std::uint64_t kCpusMax = 8'192;
    const auto dash = range.find('-');
    const auto first = parse_number(range.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_number(range.substr(dash + 1));
    if (!first || !last || *last >= kCpusMax) {
        return false;
    }
    mask.resize(std::max<std::size_t>(mask.size(), *last / 8 + 1));
    for (auto cpu = *first; cpu <= *last; ++cpu) {
        mask[cpu / 8] = static_cast<std::uint8_t>(mask[cpu / 8] | (1U << (cpu % 8)));
    }
    return true;
}

// The first CPU is the lowest bit of the first byte.
void add_mask(std::vector<UnitProperty>& properties, const char* name, const std::string& list) {
    const auto normalised = parse_cpuset(list);
    if (!normalised || normalised.value().empty()) {
        return;
    }
    Bytes mask;
    std::string_view rest = normalised.value();
    while (!rest.empty()) {
        const auto end = std::min(rest.find(','), rest.size());
        if (!add_range(mask, rest.substr(0, end))) {
            return;
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    set(properties, {name, std::move(mask)});
}

void add_maximum(std::vector<UnitProperty>& properties, const Knob& knob) {
    using Name = std::pair<std::string_view, const char*>;
    static constexpr std::array<Name, 7> kNames = {{{"memory.max", "MemoryMax"},
                                                    {"memory.high", "MemoryHigh"},
                                                    {"memory.low", "MemoryLow"},
                                                    {"memory.min", "MemoryMin"},
                                                    {"memory.swap.max", "MemorySwapMax"},
                                                    {"pids.max", "TasksMax"},
                                                    {"cpu.weight", "CPUWeight"}}};
    const auto* name = std::find_if(
        kNames.begin(), kNames.end(), [&](const Name& one) { return one.first == knob.file; });
    const auto value = parse_maximum(knob.value);
    if (name != kNames.end() && value) {
        set(properties, {name->second, *value});
    }
}

// The text of an annotation, taken from its front.
class Text {
public:
    explicit Text(std::string_view text) : rest_(text) {}

    void skip_blanks() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
    }

    [[nodiscard]] bool take(std::string_view word) {
        skip_blanks();
        const bool there = rest_.starts_with(word);
        if (there) {
            rest_.remove_prefix(word.size());
        }
        return there;
    }

    [[nodiscard]] bool at_end() {
        skip_blanks();
        return rest_.empty();
    }

    // 'text' or "text"; a backslash keeps the next character as it is.
    [[nodiscard]] std::optional<std::string> take_string() {
        skip_blanks();
        if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"')) {
            return std::nullopt;
        }
        std::string out;
        for (std::size_t i = 1; i < rest_.size(); ++i) {
            if (rest_[i] == rest_[0]) {
                rest_.remove_prefix(i + 1);
                return out;
            }
            if (rest_[i] == '\\' && ++i == rest_.size()) {
                break;
            }
            out += rest_[i];
        }
        return std::nullopt;
    }

    template <typename T>
    [[nodiscard]] std::optional<T> take_all_as() {
        skip_blanks();
        T value = {};
        const char* end = rest_.data() + rest_.size();
        const auto parsed = std::from_chars(rest_.data(), end, value);
        if (parsed.ec != std::errc() || parsed.ptr != end) {
            return std::nullopt;
        }
        rest_ = {};
        return value;
    }

private:
    std::string_view rest_;
};

using Value = decltype(UnitProperty::value);

std::optional<Value> parse_strings(Text& text) {
    std::vector<std::string> out;
    if (text.take("]")) {
        return Value(out);
    }
    for (;;) {
        auto one = text.take_string();
        if (!one) {
            return std::nullopt;
        }
        out.push_back(std::move(*one));
        if (text.take("]")) {
            return Value(out);
        }
        if (!text.take(",")) {
            return std::nullopt;
        }
    }
}

template <typename T>
std::optional<Value> parse_number_as(Text& text) {
    const auto number = text.take_all_as<T>();
    return number ? std::optional(Value(*number)) : std::nullopt;
}

std::optional<Value> parse_plain_number(Text text) {
    if (const auto number = text.take_all_as<std::int32_t>()) {
        return Value(*number);
    }
    return parse_number_as<double>(text);
}

std::optional<Value> parse_value(std::string_view whole) {
    Text text(whole);
    std::optional<Value> value;
    if (text.take("true")) {
        value = Value(true);
    } else if (text.take("false")) {
        value = Value(false);
    } else if (text.take("uint64 ")) {
        value = parse_number_as<std::uint64_t>(text);
    } else if (text.take("int64 ")) {
        value = parse_number_as<std::int64_t>(text);
    } else if (text.take("uint32 ")) {
        value = parse_number_as<std::uint32_t>(text);
    } else if (text.take("int32 ")) {
        value = parse_number_as<std::int32_t>(text);
    } else if (text.take("@as [") || text.take("[")) {
        value = parse_strings(text);
    } else if (auto string = text.take_string()) {
        value = Value(std::move(*string));
    } else {
        return parse_plain_number(Text(whole));
    }
    return text.at_end() ? value : std::nullopt;
}

std::optional<std::uint64_t> to_micros(const Value& seconds) {
    constexpr double kSecond = 1'000'000;
    constexpr double kSecondsMax = 1e12;
    const double number = std::visit(
        [](const auto& one) {
            if constexpr (std::is_arithmetic_v<std::decay_t<decltype(one)>>) {
                return static_cast<double>(one);
            } else {
                return -1.0;
            }
        },
        seconds);
    if (!(number >= 0 && number <= kSecondsMax) || std::holds_alternative<bool>(seconds)) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(number * kSecond);
}

bool is_property_name(const std::string& name) {
    constexpr std::size_t kLengthMin = 3;
    constexpr const char* kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return name.size() >= kLengthMin && name.find_first_not_of(kLetters) == std::string::npos;
}

}  // namespace

std::vector<UnitProperty> to_unit_properties(const std::vector<Knob>& knobs) {
    constexpr std::string_view kDefault = "default ";
    std::vector<UnitProperty> properties;
    for (const Knob& knob : knobs) {
        if (knob.file == "cpu.max") {
            add_bandwidth(properties, knob.value);
        } else if (knob.file == "cpuset.cpus") {
            add_mask(properties, "AllowedCPUs", knob.value);
        } else if (knob.file == "cpuset.mems") {
            add_mask(properties, "AllowedMemoryNodes", knob.value);
        } else if (knob.file == "io.weight" && knob.value.starts_with(kDefault)) {
            const auto weight = parse_number(std::string_view(knob.value).substr(kDefault.size()));
            if (weight) {
                set(properties, {"IOWeight", *weight});
            }
        } else {
            add_maximum(properties, knob);
        }
    }
    return properties;
}

base::Result<UnitProperty> parse_unit_property(const std::string& name,
                                               std::string_view value,
                                               const std::string& pointer) {
    constexpr std::string_view kSeconds = "Sec";
    const auto refuse = [&](const char* why) {
        return base::usage_error("systemd property \"" + name + "\": " + why).with_place(pointer);
    };
    if (!is_property_name(name)) {
        return refuse("a name has letters only");
    }
    auto parsed = parse_value(value);
    if (!parsed) {
        return refuse("expected a value like true, 5, uint64 5, 'text' or ['a', 'b']");
    }
    if (!name.ends_with(kSeconds) || name.ends_with("USec")) {
        return UnitProperty{name, std::move(*parsed)};
    }
    const auto micros = to_micros(*parsed);
    if (!micros) {
        return refuse("expected a number of seconds");
    }
    return UnitProperty{name.substr(0, name.size() - kSeconds.size()) + "USec", *micros};
}

}  // namespace warren::cgroups
