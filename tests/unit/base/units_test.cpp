#include "base/units.hpp"

#include <doctest/doctest.h>

using namespace warren::base;

namespace {

constexpr std::uint64_t kKi = 1024;
constexpr std::uint64_t kMi = kKi * 1024;
constexpr std::uint64_t kGi = kMi * 1024;
constexpr std::uint64_t kEi = kGi * kGi;
constexpr std::uint64_t kMax = UINT64_MAX;

}  // namespace

TEST_CASE("parse_size reads what people type") {
    struct Row {
        std::string_view text;
        std::uint64_t bytes;
    };

    const Row rows[] = {
        {"0", 0},
        {"1048576", kMi},
        {"007", 7},
        {"64k", 64 * kKi},
        {"64K", 64 * kKi},
        {"512M", 512 * kMi},
        {"512MB", 512 * kMi},
        {"512MiB", 512 * kMi},
        {"512miB", 512 * kMi},
        {"12B", 12},
        {"1.5G", kGi + kGi / 2},
        {"0.5k", 512},
        {"0.1k", 102},
        {"0.0M", 0},
        {"1T", 1024 * kGi},
        {"1P", kMi * kGi},
        {"7E", 7 * kEi},
        {"9223372036854775807", 8 * kEi - 1},
        {"7.999999999999999999E", 8 * kEi - 2},
    };
    for (const auto& row : rows) {
        CAPTURE(row.text);
        const auto size = parse_size(row.text);
        REQUIRE(size.has_value());
        CHECK(size.value() == row.bytes);
    }
}

TEST_CASE("parse_size refuses the rest") {
    for (const std::string_view text : {"",
                                        "M",
                                        "B",
                                        "iB",
                                        "12iB",
                                        "-1",
                                        "+1",
                                        " 1",
                                        "1 ",
                                        "1 M",
                                        "1\n",
                                        "0x10",
                                        "1e3",
                                        "1,5G",
                                        "0.3",
                                        "1.0",
                                        "1.5B",
                                        "0.0001k",
                                        "1.G",
                                        ".5G",
                                        "1..5G",
                                        "1.5.G",
                                        "1.-5G",
                                        "12Q",
                                        "12KM",
                                        "12MM",
                                        "12MBB",
                                        "12Mi",
                                        "nan",
                                        "inf",
                                        "8E",
                                        "16E",
                                        "9223372036854775808",
                                        "18446744073709551616",
                                        "18446744073709551615E",
                                        "99999999999999999999999",
                                        "0.1234567890123456789G",
                                        "\xc2\xb2K"}) {
        CAPTURE(text);
        const auto size = parse_size(text);
        REQUIRE(!size.has_value());
        CHECK(size.error().kind() == ErrorKind::Usage);
    }
    CHECK(!parse_size(std::string_view("1\0", 2)));
    CHECK(parse_size(std::string(100000, '9')).error().describe().size() < 300);
}

TEST_CASE("format_size rounds without lying about exact sizes") {
    CHECK(format_size(0) == "0B");
    CHECK(format_size(1023) == "1023B");
    CHECK(format_size(kKi) == "1K");
    CHECK(format_size(1536) == "1.5K");
    CHECK(format_size(512 * kMi) == "512M");
    CHECK(format_size(512 * kMi - 1) == "512.0M");
    CHECK(format_size(kMi - 1) == "1.0M");
    CHECK(format_size(kGi + 1) == "1.0G");
    CHECK(format_size(1000 * kGi) == "1000G");
    CHECK(format_size(kMax) == "16.0E");
    for (const std::uint64_t exact : {kKi, 5 * kMi, 3 * kGi, 7 * kEi, std::uint64_t{77}}) {
        CHECK(parse_size(format_size(exact)).value() == exact);
    }
}

TEST_CASE("parse_uint takes digits within the bounds, ends included") {
    CHECK(parse_uint("1", 1, 10000).value() == 1);
    CHECK(parse_uint("10000", 1, 10000).value() == 10000);
    CHECK(parse_uint("18446744073709551615", 0, kMax).value() == kMax);
    for (const std::string_view text :
         {"", "0", "10001", "-1", "+5", " 5", "5 ", "5.0", "0x5", "18446744073709551617"}) {
        CAPTURE(text);
        CHECK(!parse_uint(text, 1, 10000));
    }
}

TEST_CASE("cpus go there and back") {
    struct Row {
        std::string_view text;
        std::uint64_t micros;
        std::string_view shown;
    };

    const Row rows[] = {
        {"1", 1'000'000, "1"},
        {"1.5", 1'500'000, "1.5"},
        {"0.001", 1'000, "0.001"},
        {"0.010", 10'000, "0.01"},
        {"1.000001", 1'000'001, "1.000001"},
        {"1000000", 1'000'000'000'000, "1000000"},
        {"10", 10'000'000, "10"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.text);
        CHECK(parse_cpus(row.text).value() == row.micros);
        CHECK(format_cpus(row.micros) == row.shown);
    }
    for (const std::string_view text : {"",
                                        "0",
                                        "0.0009",
                                        "0.0000001",
                                        "1.0000001",
                                        "-1",
                                        "1e3",
                                        "1000000.1",
                                        "1000001",
                                        ".5",
                                        "5.",
                                        "1.5.5",
                                        "two",
                                        "99999999999999999999"}) {
        CAPTURE(text);
        CHECK(!parse_cpus(text));
    }
}
