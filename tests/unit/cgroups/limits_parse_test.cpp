#include "cgroups/limits_parse.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cgroups/limits.hpp"
#include "support.hpp"

using namespace warren;
using namespace warren::cgroups;

namespace {

bool names(const base::Error& error, const std::string& text) {
    return error.kind() == base::ErrorKind::Usage &&
           error.describe().find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("parse_limit_size takes sizes and none") {
    CHECK(parse_limit_size("512M").value() == Limit::of(512U << 20U));
    CHECK(parse_limit_size("0").value() == Limit::of(0));
    CHECK(parse_limit_size("none").value() == Limit::none());
    for (const char* bad : {"", "max", "None", "-1", "12Q", "1.0.0M"}) {
        CAPTURE(bad);
        const auto limit = parse_limit_size(bad);
        REQUIRE(!limit);
        CHECK(names(limit.error(), bad));
    }
}

TEST_CASE("parse_limit_count takes what pids.max takes") {
    CHECK(parse_limit_count("1").value() == Limit::of(1));
    CHECK(parse_limit_count("4194304").value() == Limit::of(4194304));
    CHECK(parse_limit_count("none").value() == Limit::none());
    for (const char* bad : {"", "0", "4194305", "-1", "1k", "max", "99999999999999999999"}) {
        CAPTURE(bad);
        const auto limit = parse_limit_count(bad);
        REQUIRE(!limit);
        CHECK(names(limit.error(), bad));
    }
}

TEST_CASE("parse_limit_cpus counts microseconds a second") {
    CHECK(parse_limit_cpus("1.5").value() == Limit::of(1'500'000));
    CHECK(parse_limit_cpus("0.001").value() == Limit::of(1'000));
    CHECK(parse_limit_cpus("none").value() == Limit::none());
    for (const char* bad : {"", "0", "-1", "1,5", "x"}) {
        CAPTURE(bad);
        const auto limit = parse_limit_cpus(bad);
        REQUIRE(!limit);
        CHECK(names(limit.error(), bad));
    }
}

TEST_CASE("parse_cpuset sorts, merges and checks") {
    const std::pair<const char*, const char*> good[] = {
        {"0", "0"},
        {"0-3", "0-3"},
        {"3,1,2", "1-3"},
        {"5,0-1", "0-1,5"},
        {"0-4,2-3", "0-4"},
        {"0,0,0", "0"},
        {"8191", "8191"},
        {"none", ""},
    };
    for (const auto& right : good) {
        const auto* text = right.first;
        CAPTURE(text);
        CHECK(parse_cpuset(text).value() == right.second);
    }
    for (const char* bad :
         {"", ",", "0,", "1-0", "-1", "0-", "a", "0 1", "0-1-2", "8192", "0\n1", "max"}) {
        CAPTURE(bad);
        CHECK(!parse_cpuset(bad));
    }
    CHECK(names(parse_cpuset("4-2").error(), "4-2"));
}

TEST_CASE("parse_io_max finds the device of a path") {
    struct stat info = {};
    REQUIRE(::stat("/dev/null", &info) == 0);
    const auto character = parse_io_max("/dev/null:rbps=1M");
    REQUIRE(!character);
    CHECK(names(character.error(), "character device"));
    CHECK(names(parse_io_max("/dev/warren-none:rbps=1M").error(), "/dev/warren-none"));
    CHECK(names(parse_io_max("/proc/self:rbps=1M").error(), "name the disk itself"));
    CHECK(names(parse_io_max("4095:1048575:rbps=1M").error(), "no block device 4095:1048575"));
}

TEST_CASE("parse_io_max reads the rates") {
    std::string device;
    for (const auto& entry : std::filesystem::directory_iterator("/sys/dev/block")) {
        if (!std::filesystem::exists(entry.path() / "partition")) {
            device = entry.path().filename().string();
        }
    }
    if (device.empty()) {
        MESSAGE("skipped: no block device here");
        return;
    }
    const auto io = parse_io_max(device + ":rbps=10M,wbps=none,riops=100");
    REQUIRE(io);
    CHECK(io.value().rbps == Limit::of(10U << 20U));
    CHECK(io.value().wbps == Limit::none());
    CHECK(io.value().riops == Limit::of(100));
    CHECK(!io.value().wiops);
    CHECK(std::to_string(io.value().major) + ":" + std::to_string(io.value().minor) == device);
    const auto none = parse_io_max(device + ":none");
    REQUIRE(none);
    CHECK(none.value() == IoMax{io.value().major,
                                io.value().minor,
                                Limit::none(),
                                Limit::none(),
                                Limit::none(),
                                Limit::none()});
}

TEST_CASE("parse_io_max names what it does not understand") {
    for (const char* bad : {"",
                            ":rbps=1M",
                            "8:0",
                            "8:0:",
                            "8:0:rbps",
                            "8:0:rbps=",
                            "8:0:rbps=0",
                            "8:0:riops=0",
                            "8:0:riops=4294967296",
                            "8:0:riops=1M",
                            "8:0:speed=1",
                            "8:0:rbps=1M,",
                            "8:0:rbps=1M,rbps=2M"}) {
        CAPTURE(bad);
        const auto io = parse_io_max(bad);
        REQUIRE(!io);
        CHECK(io.error().kind() == base::ErrorKind::Usage);
        CHECK(io.error().describe().find("no block device") == std::string::npos);
    }
}

TEST_CASE("parse_hugepages counts bytes by the kernel's page size name") {
    const std::pair<const char*, HugetlbLimit> good[] = {
        {"2M:100", {"2MB", Limit::of(200U << 20U)}},
        {"1G:2", {"1GB", Limit::of(std::uint64_t{2} << 30U)}},
        {"2048K:1", {"2MB", Limit::of(2U << 20U)}},
        {"64K:0", {"64KB", Limit::of(0)}},
        {"2M:none", {"2MB", Limit::none()}},
    };
    for (const auto& right : good) {
        const auto* text = right.first;
        CAPTURE(text);
        CHECK(parse_hugepages(text).value() == right.second);
    }
    for (const char* bad : {"",
                            "2M",
                            "2M:",
                            ":1",
                            "3M:1",
                            "0:1",
                            "2M:-1",
                            "2M:x",
                            "1024P:1",
                            "1G:9223372036854775807"}) {
        CAPTURE(bad);
        const auto limit = parse_hugepages(bad);
        REQUIRE(!limit);
        CHECK(limit.error().kind() == base::ErrorKind::Usage);
    }
}

TEST_CASE("is_page_size_name keeps file names out") {
    for (const char* good : {"2MB", "1GB", "64KB", "512MB"}) {
        CHECK(is_page_size_name(good));
    }
    for (const char* bad :
         {"", "B", "MB", "2M", "02MB", "2mb", "../2MB", "2MB/", "2/MB", "1024KB", "2TB"}) {
        CAPTURE(bad);
        CHECK(!is_page_size_name(bad));
    }
}
