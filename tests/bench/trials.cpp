// bench_trials: ways to launch that were tried and not taken, so that anybody can see what they would bring.
//
//   bench_trials launchpad [--tasks N]   a guest's root put over "/" in a mount namespace with next to nothing in it,
//                                        against pivot_root(2), which looks at every task of the host; N tasks sleep
//                                        meanwhile. The same with the mounts locked by a second copy, into the guest's
//                                        user namespace. Whether the guest's root user gets out of either, and what a
//                                        launchpad's proc lets it do.
//   bench_trials netns                   a network namespace out of a pool, against a fresh one. It belongs to the user
//                                        namespace that it was made in, so a pool has pairs of both.
//
// Needs root. Everything happens in namespaces of its own. Times are means, in microseconds.
#include "tests/bench/trials.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

[[noreturn]] void usage() {
    (void)std::fputs("bench_trials: launchpad [--tasks N] | netns\n", stderr);
    std::exit(2);
}

int task_count(const std::string& text) {
    constexpr int kMost = 20000;
    int count = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size() || count < 0 || count > kMost) {
        usage();
    }
    return count;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words == std::vector<std::string>{"netns"}) {
        trials::try_netns_pool();
        return 0;
    }
    const bool counted = words.size() == 3 && words[1] == "--tasks";
    if (words.empty() || words[0] != "launchpad" || (words.size() > 1 && !counted)) {
        usage();
    }
    trials::try_launchpad(counted ? task_count(words[2]) : 0);
    return 0;
}
