#include "runtime/engine/workers.hpp"

#include <csignal>
#include <map>
#include <memory>
#include <set>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include <doctest/doctest.h>

namespace warren::engine {
namespace {

using Told = std::multimap<std::size_t, std::string>;

// What each item's status said; "" for done.
Told run(std::size_t count, std::size_t workers, const MakeWorker& make) {
    Told told;
    run_in_workers(count, workers, make, [&](std::size_t index, const base::Status& status) {
        told.emplace(index, status ? "" : status.error().describe());
    });
    return told;
}

bool each_once(const Told& told, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        if (told.count(i) != 1) {
            return false;
        }
    }
    return told.size() == count;
}

}  // namespace

TEST_CASE("each item is done once, in processes of their own") {
    const auto told = run(40, 3, [] {
        return [](std::size_t) -> base::Status { return base::fail(std::to_string(::getpid())); };
    });
    CHECK(each_once(told, 40));
    std::set<std::string> pids;
    for (const auto& [index, text] : told) {
        pids.insert(text);
    }
    CHECK(pids.count(std::to_string(::getpid())) == 0);
    CHECK(pids.size() >= 1);
    CHECK(pids.size() <= 3);
}

TEST_CASE("an error arrives with its kind and its text") {
    run_in_workers(
        8,
        2,
        [] {
            return [](std::size_t index) -> base::Status {
                if (index == 5) {
                    return base::Error(base::ErrorKind::Busy, EBUSY, "start web5");
                }
                return base::ok();
            };
        },
        [](std::size_t index, const base::Status& status) {
            CHECK(status.has_value() == (index != 5));
            if (index == 5) {
                CHECK(status.error().kind() == base::ErrorKind::Busy);
                CHECK(status.error().describe() == "start web5: Device or resource busy");
            }
        });
}

TEST_CASE("a worker that is killed costs its item only") {
    const auto told = run(12, 2, [] {
        return [](std::size_t index) -> base::Status {
            if (index == 3) {
                (void)::kill(::getpid(), SIGKILL);
            }
            return base::ok();
        };
    });
    REQUIRE(each_once(told, 12));
    for (const auto& entry : told) {
        const auto index = entry.first;
        INFO(index);
        CHECK(entry.second == (index == 3 ? "the process that worked at it was killed" : ""));
    }
}

TEST_CASE("when all workers are killed every item is told all the same") {
    const auto told = run(9, 3, [] {
        return [](std::size_t) -> base::Status {
            (void)::kill(::getpid(), SIGKILL);
            return base::ok();
        };
    });
    REQUIRE(each_once(told, 9));
    for (const auto& [index, text] : told) {
        CHECK(text == "the process that worked at it was killed");
    }
}

TEST_CASE("what a worker holds is let go before it ends") {
    int ends[2] = {-1, -1};
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const auto told = run(4, 2, [&] {
        const auto held =
            std::shared_ptr<int>(&ends[1], [](const int* end) { (void)!::write(*end, "x", 1); });
        return [held](std::size_t) { return base::ok(); };
    });
    CHECK(each_once(told, 4));
    REQUIRE(::close(ends[1]) == 0);
    char bytes[8];
    CHECK(::read(ends[0], bytes, sizeof(bytes)) == 2);
    REQUIRE(::close(ends[0]) == 0);
}

TEST_CASE("few items are done without workers, in order") {
    CHECK(worker_count(1) == 1);
    CHECK(worker_count(7) == 1);
    CHECK(worker_count(1'000'000) >= 1);
    std::string order;
    run_in_workers(
        3,
        1,
        [] {
            return
                [](std::size_t) -> base::Status { return base::fail(std::to_string(::getpid())); };
        },
        [&](std::size_t index, const base::Status& status) {
            order += std::to_string(index);
            CHECK(status.error().describe() == std::to_string(::getpid()));
        });
    CHECK(order == "012");
}

}  // namespace warren::engine
