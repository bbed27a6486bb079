// The times of base/units.hpp.
#include <array>
#include <cstdio>
#include <optional>

#include "base/units.hpp"

namespace warren::base {

namespace {

using std::chrono::system_clock;

// Reads fixed-width fields from the front of a text; after the first failure all that follow fail.
class Scanner {
public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    int number(std::size_t width) {
        int value = 0;
        if (rest_.size() < width) {
            ok_ = false;
            return 0;
        }
        for (const char c : rest_.substr(0, width)) {
            ok_ = ok_ && c >= '0' && c <= '9';
            value = value * 10 + (c - '0');
        }
        rest_.remove_prefix(width);
        return ok_ ? value : 0;
    }

    bool accept(char c) {
        if (!ok_ || rest_.empty() || rest_.front() != c) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }

    void expect(char c) { ok_ = accept(c); }

    // The digits after a point as nanoseconds.
    int nanoseconds() {
        int value = 0;
        int count = 0;
        while (ok_ && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9' && count < 9) {
            value = value * 10 + (rest_.front() - '0');
            rest_.remove_prefix(1);
            ++count;
        }
        ok_ = ok_ && count > 0;
        for (; count < 9; ++count) {
            value *= 10;
        }
        return value;
    }

    void fail() { ok_ = false; }

    [[nodiscard]] bool at_end() const { return ok_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool ok_ = true;
};

std::chrono::minutes parse_offset(Scanner& scanner) {
    if (scanner.accept('Z')) {
        return std::chrono::minutes(0);
    }
    const bool east = scanner.accept('+');
    if (!east) {
        scanner.expect('-');
    }
    const int hours = scanner.number(2);
    scanner.expect(':');
    const int minutes = scanner.number(2);
    if (hours > 23 || minutes > 59) {
        scanner.fail();
    }
    const std::chrono::minutes offset(hours * 60 + minutes);
    return east ? offset : -offset;
}

std::optional<system_clock::time_point> scan_time(std::string_view text) {
    namespace chrono = std::chrono;
    Scanner scanner(text);
    const int year = scanner.number(4);
    scanner.expect('-');
    const int month = scanner.number(2);
    scanner.expect('-');
    const int day = scanner.number(2);
    scanner.expect('T');
    const int hour = scanner.number(2);
    scanner.expect(':');
    const int minute = scanner.number(2);
    scanner.expect(':');
    const int second = scanner.number(2);
    const int nanos = scanner.accept('.') ? scanner.nanoseconds() : 0;
    const auto offset = parse_offset(scanner);
    const chrono::year_month_day date(chrono::year(year),
                                      chrono::month(static_cast<unsigned>(month)),
                                      chrono::day(static_cast<unsigned>(day)));
    // Outside of these years 64 bits of nanoseconds end.
    const bool in_range = year >= 1678 && year <= 2261;
    if (!scanner.at_end() || !date.ok() || !in_range || hour > 23 || minute > 59 || second > 59) {
        return std::nullopt;
    }
    return chrono::sys_days(date) + chrono::hours(hour) + chrono::minutes(minute) - offset +
           chrono::seconds(second) +
           chrono::duration_cast<system_clock::duration>(chrono::nanoseconds(nanos));
}

}  // namespace

std::string format_time(system_clock::time_point time) {
    namespace chrono = std::chrono;
    const auto micros = chrono::floor<chrono::microseconds>(time);
    const auto days = chrono::floor<chrono::days>(micros);
    const chrono::year_month_day date(days);
    const chrono::hh_mm_ss clock(micros - days);
    std::array<char, 64> text{};
    (void)std::snprintf(text.data(),
                        text.size(),
                        "%04d-%02u-%02uT%02lld:%02lld:%02lld.%06lldZ",
                        static_cast<int>(date.year()),
                        static_cast<unsigned>(date.month()),
                        static_cast<unsigned>(date.day()),
                        static_cast<long long>(clock.hours().count()),
                        static_cast<long long>(clock.minutes().count()),
                        static_cast<long long>(clock.seconds().count()),
                        static_cast<long long>(clock.subseconds().count()));
    return text.data();
}

std::string format_time_now() {
    return format_time(system_clock::now());
}

Result<system_clock::time_point> parse_time(std::string_view text) {
    constexpr std::size_t kLongest = 64;
    if (text.size() <= kLongest) {
        if (const auto time = scan_time(text)) {
            return *time;
        }
    }
    return usage_error("invalid time \"" + std::string(text.substr(0, kLongest)) +
                       "\": expected one like 2026-01-02T03:04:05.000006Z");
}

std::string format_age(std::chrono::seconds age) {
    const auto seconds = age.count() < 0 ? 0 : age.count();
    if (seconds < 60) {
        return std::to_string(seconds) + "s";
    }
    if (seconds < 3600) {
        return std::to_string(seconds / 60) + "m";
    }
    if (seconds < 86400) {
        return std::to_string(seconds / 3600) + "h";
    }
    return std::to_string(seconds / 86400) + "d";
}

}  // namespace warren::base
