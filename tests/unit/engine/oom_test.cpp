#include "runtime/engine/oom.hpp"

#include <doctest/doctest.h>

namespace warren::engine {

TEST_CASE("the kernel's log says who was killed for want of memory") {
    const char* guest =
        "3,1217,5140900,-;Memory cgroup out of memory: Killed process 71 (tail) total-vm:205412kB, "
        "anon-rss:31232kB, oom_score_adj:0\n SUBSYSTEM=x\n";
    CHECK(tells_oom_kill(guest, {71, 0}));
    CHECK_FALSE(tells_oom_kill(guest, {7, 0}));
    CHECK_FALSE(tells_oom_kill(guest, {711, 0}));
    CHECK(tells_oom_kill("3,1,2,-;Out of memory: Killed process 5 (x) total-vm:1kB", {5, 0}));
    CHECK_FALSE(tells_oom_kill("6,1,2,-;Killed process 5 (x)[5]: segfault at 0", {5, 0}));
    CHECK_FALSE(tells_oom_kill("", {5, 0}));
    // 60 s after boot; another process had the number before.
    const std::string_view old = "3,1,60000000,-;Out of memory: Killed process 5 (x) total-vm:1kB";
    CHECK(tells_oom_kill(old, {5, 6000}));
    CHECK_FALSE(tells_oom_kill(old, {5, 7000}));
}

}  // namespace warren::engine
