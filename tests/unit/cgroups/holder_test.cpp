#include "cgroups/holder.hpp"

#include <sys/prctl.h>

#include "support.hpp"

using namespace warren;
using namespace warren::cgroups;
using namespace warren::cgroups::test;

namespace {

std::size_t open_fds(pid_t pid) {
    const auto entries =
        std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd");
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

bool is_alive(pid_t pid) {
    return ::waitpid(pid, nullptr, WNOHANG) == 0;
}

}  // namespace

TEST_CASE("a holder has no descriptors and heeds no signal") {
    auto holder = start_holder(-1);
    REQUIRE(holder);
    const pid_t pid = holder.value().pid;
    CHECK(open_fds(pid) == 0);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1}) {
        REQUIRE(::kill(pid, signal) == 0);
    }
    CHECK(is_alive(pid));
    end_holder(std::move(holder).value());
    CHECK(::waitpid(pid, nullptr, WNOHANG) == -1);
}

TEST_CASE("a holder dies with its parent, however that goes") {
    REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
    int ends[2] = {};
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const base::Fd read_end(ends[0]);
    base::Fd write_end(ends[1]);
    const pid_t parent = ::fork();
    REQUIRE(parent >= 0);
    if (parent == 0) {
        const auto holder = start_holder(-1);
        const pid_t pid = holder ? holder.value().pid : -1;
        (void)!::write(write_end.get(), &pid, sizeof(pid));
        for (;;) {
            ::pause();
        }
    }
    pid_t pid = -1;
    REQUIRE(::read(read_end.get(), &pid, sizeof(pid)) == sizeof(pid));
    REQUIRE(pid > 0);
    REQUIRE(::kill(parent, SIGKILL) == 0);
    CHECK(wait_for(parent) == 256 + SIGKILL);
    CHECK(wait_for(pid) == 256 + SIGKILL);
    REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) == 0);
}

TEST_CASE("a holder is in its cgroup from birth") {
    const auto host = real_host();
    if (!host) {
        return;
    }
    const RealTree tree(*host);
    const auto cgroup = tree.create("g");
    auto holder = start_holder(cgroup.dir());
    REQUIRE(holder);
    CHECK(cgroup.processes().value() == std::vector<pid_t>{holder.value().pid});
    end_holder(std::move(holder).value());
    CHECK(!cgroup.populated().value());
    REQUIRE(remove_cgroup(*host, tree.path("g"), std::chrono::seconds(10)));
    const auto late = start_holder(cgroup.dir());
    REQUIRE(!late);
    CHECK((late.error().error_number() == ENODEV || late.error().error_number() == ENOENT));
}
