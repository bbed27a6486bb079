#include <cstdio>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/floor_calls.hpp"
#include "tests/bench/trials.hpp"

namespace trials {

namespace {

using floor_bench::checked;

struct Pair {
    int users;
    int network;
};

// [0] wall-clock time of the namespace.
double make_fresh(Sums& sums, std::vector<Pair>* keep) {
    const double before = children_cpu_us();
    for (int round = 0; round < kRounds; ++round) {
        in_user_namespace(
            [&] {
                const double start = now_us();
                checked(::unshare(CLONE_NEWNET), "make a network namespace");
                sums[0] += now_us() - start;
            },
            [&](pid_t pid) {
                if (keep == nullptr) {
                    return;
                }
                const std::string ns = "/proc/" + std::to_string(pid) + "/ns/";
                keep->push_back(
                    {checked(::open((ns + "user").c_str(), O_RDONLY | O_CLOEXEC), "open ns/user"),
                     checked(::open((ns + "net").c_str(), O_RDONLY | O_CLOEXEC), "open ns/net")});
            });
    }
    return (children_cpu_us() - before) / kRounds;
}

double take_from_pool(Sums& sums, const std::vector<Pair>& pool) {
    const double before = children_cpu_us();
    for (const Pair& pair : pool) {
        const pid_t pid = ::fork();
        if (pid == 0) {
            const double start = now_us();
            checked(::setns(pair.users, CLONE_NEWUSER), "enter the user namespace");
            checked(::setns(pair.network, CLONE_NEWNET), "enter the network namespace");
            sums[0] += now_us() - start;
            ::_exit(0);
        }
        (void)::waitpid(checked(pid, "fork"), nullptr, 0);
        (void)::close(pair.users);
        (void)::close(pair.network);
    }
    return (children_cpu_us() - before) / kRounds;
}

}  // namespace

void try_netns_pool() {
    Sums* fresh = shared_sums();
    Sums* making = shared_sums();
    Sums* taken = shared_sums();
    const double fresh_cpu = make_fresh(*fresh, nullptr);
    std::vector<Pair> pool;
    const double making_cpu = make_fresh(*making, &pool);
    const double taken_cpu = take_from_pool(*taken, pool);
    std::printf("fresh: %.0f; CPU time of its process %.0f\n", (*fresh)[0] / kRounds, fresh_cpu);
    std::printf("out of a pool: %.0f; CPU time %.0f, and %.0f for who made it\n",
                (*taken)[0] / kRounds,
                taken_cpu,
                making_cpu);
}

}  // namespace trials
