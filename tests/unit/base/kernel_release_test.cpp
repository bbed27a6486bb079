#include "base/kernel_release.hpp"

#include <doctest/doctest.h>

using warren::base::KernelRelease;
using warren::base::parse_kernel_release;

TEST_CASE("a kernel's release begins with two numbers") {
    CHECK(parse_kernel_release("6.1.0-28-amd64") == KernelRelease{6, 1});
    CHECK(parse_kernel_release("6.18") == KernelRelease{6, 18});
    CHECK(parse_kernel_release("5.14-rc3\n") == KernelRelease{5, 14});
    CHECK(parse_kernel_release("10.0+") == KernelRelease{10, 0});
    for (const char* strange : {"",
                                "6",
                                "6.",
                                ".1",
                                "strange",
                                "v6.1",
                                " 6.1",
                                "-6.1",
                                "6.-1",
                                "99999999999.1",
                                "6.99999999999"}) {
        CAPTURE(strange);
        CHECK(parse_kernel_release(strange) == std::nullopt);
    }
}

TEST_CASE("releases compare by number, and what is none is older than any") {
    CHECK(KernelRelease{6, 10} > KernelRelease{6, 8});
    CHECK(KernelRelease{10, 0} > KernelRelease{6, 18});
    CHECK(parse_kernel_release("6.8.0-31-generic") >= KernelRelease{6, 8});
    CHECK(parse_kernel_release("6.7.12") < KernelRelease{6, 8});
    CHECK(parse_kernel_release("strange") < KernelRelease{});
}

TEST_CASE("the running kernel has a release") {
    CHECK(warren::base::running_kernel() >= KernelRelease{5, 0});
}
