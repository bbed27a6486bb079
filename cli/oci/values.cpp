// Values of options.
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

#include "base/units.hpp"
#include "cli/oci/requests.hpp"

namespace warren::cli::oci {

namespace {

constexpr std::array<std::pair<std::string_view, double>, 4> kUnits{
    {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}}};

base::Error no_duration(std::string_view text) {
    return base::usage_error("'" + std::string(text) +
                             "' is no duration: 5s, 1m30s and 250ms are some");
}

// Takes "1.5h" off the front; its milliseconds, or a negative number.
double take_part(std::string_view& rest) {
    double number = -1;
    const auto read =
        std::from_chars(rest.data(), rest.data() + rest.size(), number, std::chars_format::fixed);
    if (read.ec != std::errc() || !std::isfinite(number) || number < 0) {
        return -1;
    }
    rest.remove_prefix(static_cast<std::size_t>(read.ptr - rest.data()));
    for (const auto& [unit, factor] : kUnits) {
        if (rest.starts_with(unit)) {
            rest.remove_prefix(unit.size());
            return number * factor;
        }
    }
    return -1;
}

}  // namespace

base::Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
    constexpr double kYear = 365.0 * 24 * 3'600'000;
    double total = 0;
    std::string_view rest = text;
    do {
        const double part = take_part(rest);
        if (part < 0) {
            return no_duration(text);
        }
        total += part;
    } while (!rest.empty());
    if (total < 1 || total > kYear) {
        return base::usage_error("'" + std::string(text) + "' is not within 1ms and a year");
    }
    return std::chrono::milliseconds(static_cast<std::int64_t>(total));
}

base::Result<std::int64_t> parse_integer(std::string_view text,
                                         std::int64_t min,
                                         std::int64_t max) {
    std::int64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() || number < min ||
        number > max) {
        return base::usage_error("'" + std::string(text) + "' is not a whole number from " +
                                 std::to_string(min) + " to " + std::to_string(max));
    }
    return number;
}

base::Result<std::int64_t> parse_bytes(std::string_view text) {
    if (text == "-1") {
        return -1;
    }
    const std::uint64_t bytes = TRY(base::parse_size(text));
    if (bytes > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return base::usage_error("'" + std::string(text) + "' is too much");
    }
    return static_cast<std::int64_t>(bytes);
}

base::Result<bool> wants_json(const Arguments& arguments) {
    const std::string format = arguments.value("format").value_or("table");
    if (format != "table" && format != "json") {
        return base::usage_error("'" + format + "' is not table or json")
            .with_place("option --format");
    }
    return format == "json";
}

}  // namespace warren::cli::oci
