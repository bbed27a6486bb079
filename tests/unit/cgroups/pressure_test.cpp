#include "cgroups/pressure.hpp"

#include "support.hpp"

using namespace warren::cgroups;

TEST_CASE("the host's stall times are the totals of memory and I/O") {
    const warren::test::TempDir root;
    root.write("proc/pressure/memory",
               "some avg10=1.00 avg60=0.50 avg300=0.10 total=12345\n"
               "full avg10=0.00 avg60=0.00 avg300=0.00 total=99\n");
    root.write("proc/pressure/io",
               "some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"
               "full avg10=0.00 avg60=0.00 avg300=0.00 total=678\n");
    const auto times = host_stall_times(root.path().string());
    REQUIRE(times);
    CHECK(times->memory_some_micros == 12345);
    CHECK(times->io_full_micros == 678);
}

TEST_CASE("a kernel that tells of no pressure, or of one alone, has no stall times") {
    const warren::test::TempDir root;
    CHECK_FALSE(host_stall_times(root.path().string()));
    root.write("proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n");
    CHECK_FALSE(host_stall_times(root.path().string()));
}
