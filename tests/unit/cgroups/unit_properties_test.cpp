#include "cgroups/unit_properties.hpp"

#include <doctest/doctest.h>

using namespace warren;
using namespace warren::cgroups;

namespace {

using Properties = std::vector<UnitProperty>;

Properties of(const std::string& file, const std::string& value) {
    return to_unit_properties({{file.substr(0, file.find('.')), file, value, false}});
}

UnitProperty parse(const std::string& name, const std::string& value) {
    auto property = parse_unit_property(name, value, "/annotations/x");
    if (!property) {
        FAIL(property.error().describe());
    }
    return std::move(property).value();
}

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("knobs that systemd knows") {
    CHECK(of("memory.max", "1000") == Properties{{"MemoryMax", std::uint64_t{1000}}});
    CHECK(of("memory.max", "max") == Properties{{"MemoryMax", UINT64_MAX}});
    CHECK(of("memory.high", "7") == Properties{{"MemoryHigh", std::uint64_t{7}}});
    CHECK(of("memory.low", "7") == Properties{{"MemoryLow", std::uint64_t{7}}});
    CHECK(of("memory.min", "7") == Properties{{"MemoryMin", std::uint64_t{7}}});
    CHECK(of("memory.swap.max", "0") == Properties{{"MemorySwapMax", std::uint64_t{0}}});
    CHECK(of("pids.max", "100") == Properties{{"TasksMax", std::uint64_t{100}}});
    CHECK(of("cpu.weight", "39") == Properties{{"CPUWeight", std::uint64_t{39}}});
    CHECK(of("io.weight", "default 4950") == Properties{{"IOWeight", std::uint64_t{4950}}});
}

TEST_CASE("knobs that are files alone") {
    CHECK(of("io.weight", "8:0 5").empty());
    CHECK(of("io.bfq.weight", "default 500").empty());
    CHECK(of("io.max", "8:0 rbps=1").empty());
    CHECK(of("cpu.idle", "1").empty());
    CHECK(of("hugetlb.2MB.max", "0").empty());
    CHECK(of("memory.max", "10M").empty());
    CHECK(of("cpu.max", "x 100000").empty());
    CHECK(of("cpu.max", "1000 0").empty());
    CHECK(of("cpuset.cpus", "\n").empty());
    CHECK(of("cpuset.cpus", "0-99999").empty());
}

TEST_CASE("bandwidth is in whole per cent of a CPU, rounded up") {
    const auto quota = [](std::uint64_t micros) {
        return UnitProperty{"CPUQuotaPerSecUSec", micros};
    };
    const auto period = [](std::uint64_t micros) {
        return UnitProperty{"CPUQuotaPeriodUSec", micros};
    };
    CHECK(of("cpu.max", "50000 100000") == Properties{quota(500000), period(100000)});
    CHECK(of("cpu.max", "50000") == Properties{quota(500000)});
    CHECK(of("cpu.max", "1001 100000") == Properties{quota(20000), period(100000)});
    CHECK(of("cpu.max", "max 50000") == Properties{quota(UINT64_MAX), period(50000)});
    CHECK(of("cpu.max", "18446744073709 1000000") ==
          Properties{quota(18446744080000), period(1000000)});
    CHECK(of("cpu.max", "18446744073710 1000000").empty());
    CHECK(of("cpu.max", "18446744073709551615 100000") ==
          Properties{quota(UINT64_MAX), period(100000)});
    CHECK(of("cpu.max", "18446744073709551614 100000").empty());
}

TEST_CASE("cpu lists are masks") {
    CHECK(of("cpuset.cpus", "0-1,3") == Properties{{"AllowedCPUs", Bytes{0x0b}}});
    CHECK(of("cpuset.cpus", "8") == Properties{{"AllowedCPUs", Bytes{0x00, 0x01}}});
    CHECK(of("cpuset.mems", "0,17") == Properties{{"AllowedMemoryNodes", Bytes{0x01, 0x00, 0x02}}});
}

TEST_CASE("the later of two knobs for one property counts") {
    CHECK(to_unit_properties({{"memory", "memory.max", "5", false},
                              {"pids", "pids.max", "6", false},
                              {"memory", "memory.max", "7", false}}) ==
          Properties{{"MemoryMax", std::uint64_t{7}}, {"TasksMax", std::uint64_t{6}}});
}

TEST_CASE("annotations in GVariant's text form") {
    CHECK(parse("Foo", "true") == UnitProperty{"Foo", true});
    CHECK(parse("Foo", " false ") == UnitProperty{"Foo", false});
    CHECK(parse("Foo", "5") == UnitProperty{"Foo", std::int32_t{5}});
    CHECK(parse("Foo", "-5") == UnitProperty{"Foo", std::int32_t{-5}});
    CHECK(parse("Foo", "1.5") == UnitProperty{"Foo", 1.5});
    CHECK(parse("Foo", "uint64 5") == UnitProperty{"Foo", std::uint64_t{5}});
    CHECK(parse("Foo", "uint32 5") == UnitProperty{"Foo", std::uint32_t{5}});
    CHECK(parse("Foo", "int64 -5") == UnitProperty{"Foo", std::int64_t{-5}});
    CHECK(parse("Foo", "int32 5") == UnitProperty{"Foo", std::int32_t{5}});
    CHECK(parse("Foo", "'a b'") == UnitProperty{"Foo", std::string("a b")});
    CHECK(parse("Foo", R"("it's \"so\"")") == UnitProperty{"Foo", std::string("it's \"so\"")});
    CHECK(parse("Foo", "['a', \"b\"]") == UnitProperty{"Foo", Strings{"a", "b"}});
    CHECK(parse("Foo", "@as []") == UnitProperty{"Foo", Strings{}});
    CHECK(parse("Foo", "[]") == UnitProperty{"Foo", Strings{}});
}

TEST_CASE("seconds become microseconds under systemd's own name") {
    CHECK(parse("TimeoutStopSec", "5") == UnitProperty{"TimeoutStopUSec", std::uint64_t{5000000}});
    CHECK(parse("TimeoutStopSec", "uint64 2") ==
          UnitProperty{"TimeoutStopUSec", std::uint64_t{2000000}});
    CHECK(parse("TimeoutStopSec", "0.25") ==
          UnitProperty{"TimeoutStopUSec", std::uint64_t{250000}});
    CHECK(parse("TimeoutStopUSec", "uint64 7") ==
          UnitProperty{"TimeoutStopUSec", std::uint64_t{7}});
    CHECK(!parse_unit_property("TimeoutStopSec", "'5'", ""));
    CHECK(!parse_unit_property("TimeoutStopSec", "true", ""));
    CHECK(!parse_unit_property("TimeoutStopSec", "-1", ""));
    CHECK(!parse_unit_property("TimeoutStopSec", "1e300", ""));
}

TEST_CASE("annotations that are no property are refused at their place") {
    const auto refused = [](const std::string& name, const std::string& value) {
        const auto property = parse_unit_property(name, value, "/annotations/x");
        return !property && property.error().place() == "/annotations/x" &&
               property.error().kind() == base::ErrorKind::Usage;
    };
    for (const char* name : {"", "ab", "a.b", "foo/bar", "foo bar", "Foo1"}) {
        CAPTURE(name);
        CHECK(refused(name, "true"));
    }
    for (const char* value : {"",
                              "yes",
                              "truely",
                              "5 5",
                              "'a",
                              "'a\\",
                              "'a' b",
                              "['a'",
                              "['a',]",
                              "[5]",
                              "uint64 -5",
                              "uint64",
                              "uint32 4294967296",
                              "nan-ish"}) {
        CAPTURE(value);
        CHECK(refused("Foo", value));
    }
}
