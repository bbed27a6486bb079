#include <doctest/doctest.h>

#include "base/units.hpp"

using namespace warren::base;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

namespace {

system_clock::time_point at(microseconds since_epoch) {
    return system_clock::time_point(since_epoch);
}

}  // namespace

TEST_CASE("times are written in UTC with six decimals") {
    CHECK(format_time(at(microseconds(0))) == "1970-01-01T00:00:00.000000Z");
    CHECK(format_time(at(microseconds(1767323045000006))) == "2026-01-02T03:04:05.000006Z");
    CHECK(format_time(at(microseconds(951782400000000))) == "2000-02-29T00:00:00.000000Z");
    CHECK(format_time(at(microseconds(-1))) == "1969-12-31T23:59:59.999999Z");
    CHECK(format_time(system_clock::time_point(nanoseconds(1999))) ==
          "1970-01-01T00:00:00.000001Z");
}

TEST_CASE("a written time reads back as itself") {
    for (const std::int64_t micros : {std::int64_t{0},
                                      std::int64_t{1},
                                      std::int64_t{-1},
                                      std::int64_t{1767323045000006},
                                      std::int64_t{951868799999999},
                                      std::int64_t{-9000000000000000},
                                      std::int64_t{9190000000000000}}) {
        CAPTURE(micros);
        const auto time = at(microseconds(micros));
        CHECK(parse_time(format_time(time)).value() == time);
    }
    CHECK(parse_time(format_time_now()).has_value());
}

TEST_CASE("other forms of RFC 3339 are read") {
    const auto expected = at(microseconds(1767323045000000));
    CHECK(parse_time("2026-01-02T03:04:05Z").value() == expected);
    CHECK(parse_time("2026-01-02T03:04:05.0Z").value() == expected);
    CHECK(parse_time("2026-01-02T05:34:05+02:30").value() == expected);
    CHECK(parse_time("2026-01-01T22:04:05-05:00").value() == expected);
    CHECK(parse_time("2026-01-02T03:04:05.123456789Z").value() ==
          expected + nanoseconds(123456789));
    CHECK(parse_time("2026-01-02T03:04:05.25Z").value() == expected + milliseconds(250));
}

TEST_CASE("what is no time is refused") {
    for (const std::string_view text : {"",
                                        "now",
                                        "2026-01-02",
                                        "2026-01-02T03:04:05",
                                        "2026-01-02 03:04:05Z",
                                        "2026-1-2T03:04:05Z",
                                        "2026-13-02T03:04:05Z",
                                        "2026-00-02T03:04:05Z",
                                        "2026-02-29T03:04:05Z",
                                        "2026-01-32T03:04:05Z",
                                        "2026-01-02T24:00:00Z",
                                        "2026-01-02T03:60:05Z",
                                        "2026-01-02T03:04:60Z",
                                        "2026-01-02T03:04:05.Z",
                                        "2026-01-02T03:04:05.1234567890Z",
                                        "2026-01-02T03:04:05+24:00",
                                        "2026-01-02T03:04:05+0230",
                                        "2026-01-02T03:04:05Zx",
                                        "2026-01-02T03:04:05Z ",
                                        "-026-01-02T03:04:05Z",
                                        "+026-01-02T03:04:05Z",
                                        "0001-01-02T03:04:05Z",
                                        "9999-01-02T03:04:05Z",
                                        "2026-01-02T-3:04:05Z",
                                        "2026-01-02T03:04:05-",
                                        "2026-01-02T03:04:05,5Z"}) {
        CAPTURE(text);
        CHECK(!parse_time(text));
    }
    CHECK(!parse_time(std::string(1 << 20, '2')));
}

TEST_CASE("ages change unit at each whole one") {
    CHECK(format_age(seconds(0)) == "0s");
    CHECK(format_age(seconds(-5)) == "0s");
    CHECK(format_age(seconds(59)) == "59s");
    CHECK(format_age(seconds(60)) == "1m");
    CHECK(format_age(minutes(59) + seconds(59)) == "59m");
    CHECK(format_age(hours(1)) == "1h");
    CHECK(format_age(hours(23) + minutes(59)) == "23h");
    CHECK(format_age(hours(24)) == "1d");
    CHECK(format_age(hours(24) * 400) == "400d");
}
