#include "cgroups/kill.hpp"

#include "support.hpp"

using namespace warren;
using namespace warren::cgroups;
using namespace warren::cgroups::test;

namespace {

// Forks without end: what the killer has to outrun. Stays within its pids however often it is asked.
int fork_without_end() {
    for (;;) {
        const pid_t pid = ::fork();
        if (pid > 0) {
            ::waitpid(pid, nullptr, 0);
        }
    }
}

}  // namespace

TEST_CASE("kill ends everything, frozen or not") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    REQUIRE(cgroup.kill());
    for (const bool frozen : {false, true}) {
        CAPTURE(frozen);
        Process first(cgroup.dir());
        Process second(cgroup.exec_dir(0, 0).value().get());
        if (frozen) {
            REQUIRE(cgroup.freeze(std::chrono::seconds(30)));
        }
        REQUIRE(cgroup.kill());
        CHECK(cgroup.wait_empty(std::chrono::seconds(30)).value());
        CHECK(!cgroup.frozen().value());
        CHECK(first.wait() == 256 + SIGKILL);
        CHECK(second.wait() == 256 + SIGKILL);
    }
    REQUIRE(remove_cgroup(*host, tree.path("g"), std::chrono::seconds(10)));
    CHECK(cgroup.kill());
}

TEST_CASE("the way of old kernels ends everything as well") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    REQUIRE(kill_each(cgroup.dir()));
    REQUIRE(cgroup.thaw());
    Process sleeper(cgroup.exec_dir(0, 0).value().get());
    Process forker(cgroup.dir(), fork_without_end);
    REQUIRE(kill_each(cgroup.dir()));
    REQUIRE(cgroup.thaw());
    CHECK(cgroup.wait_empty(std::chrono::seconds(30)).value());
    CHECK(sleeper.wait() == 256 + SIGKILL);
    CHECK(forker.wait() == 256 + SIGKILL);
}
