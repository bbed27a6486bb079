// Lets the guests of a batch start one after the other, and holds the next back while the host is short of memory or
// I/O, so that those which run do not suffer for those which come. For the CPU there are weights: a batch needs no
// brake there.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "cgroups/pressure.hpp"

namespace warren::engine {

class Admission {
public:
    using Clock = std::chrono::steady_clock;
    using Read = std::function<std::optional<cgroups::StallTimes>()>;
    using Now = std::function<Clock::time_point()>;
    using Sleep = std::function<void(Clock::duration)>;

    // The last three are the host's unless a test has its own.
    explicit Admission(
        Read read = [] { return cgroups::host_stall_times(); },
        Now now = Clock::now,
        Sleep sleep = sleep_for);

    // Comes back when the next guest may start: at once where there is no pressure or nobody tells of it, after kLongest
    // in any case.
    void wait();

    static constexpr std::chrono::milliseconds kInterval{100};  // what one look covers, at least
    static constexpr unsigned kStalledPercent = 20;  // of the time since the last look: too much
    static constexpr std::chrono::milliseconds kLongest{5'000};

private:
    static void sleep_for(Clock::duration duration);
    // Whether too much of the time since the last look was lost; nullopt: too little has passed to tell.
    std::optional<bool> stalled();

    Read read_;
    Now now_;
    Sleep sleep_;
    std::optional<cgroups::StallTimes> last_;
    Clock::time_point looked_;
};

}  // namespace warren::engine
