#include "runtime/engine/admission.hpp"

#include <doctest/doctest.h>

namespace warren::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A host whose stall times grow by a share of the time that passes.
struct Host {
    Admission::Clock::time_point now{};
    milliseconds slept{0};
    std::uint64_t stalled_micros = 0;
    unsigned percent = 0;
    bool tells = true;

    void pass(milliseconds time) {
        now += time;
        stalled_micros += static_cast<std::uint64_t>(time.count()) * 10 * percent;
    }

    [[nodiscard]] Admission admission(bool memory) {
        return Admission(
            [this, memory]() -> std::optional<cgroups::StallTimes> {
                if (!tells) {
                    return std::nullopt;
                }
                return memory ? cgroups::StallTimes{stalled_micros, 0}
                              : cgroups::StallTimes{0, stalled_micros};
            },
            [this] { return now; },
            [this](Admission::Clock::duration time) {
                const auto rounded = std::chrono::duration_cast<milliseconds>(time);
                slept += rounded;
                pass(rounded);
                if (slept >= relief) {
                    percent = 0;
                }
            });
    }

    milliseconds relief = seconds(3600);
};

}  // namespace

TEST_CASE("without pressure nobody waits") {
    Host host;
    auto admission = host.admission(true);
    for (int i = 0; i < 100; ++i) {
        admission.wait();
        host.pass(milliseconds(30));
    }
    CHECK(host.slept == milliseconds(0));
}

TEST_CASE("pressure holds the next back until it is gone") {
    for (const bool memory : {true, false}) {
        Host host;
        host.percent = 50;
        host.relief = milliseconds(700);
        auto admission = host.admission(memory);
        admission.wait();  // nothing is known yet
        CHECK(host.slept == milliseconds(0));
        host.pass(milliseconds(150));
        admission.wait();
        CHECK(host.slept >= milliseconds(700));
        CHECK(host.slept <= milliseconds(900));
    }
}

TEST_CASE("a little pressure is no reason to wait") {
    Host host;
    host.percent = Admission::kStalledPercent;
    auto admission = host.admission(true);
    host.pass(seconds(1));
    admission.wait();
    CHECK(host.slept == milliseconds(0));
}

TEST_CASE("nobody waits for ever") {
    Host host;
    host.percent = 100;
    auto admission = host.admission(false);
    host.pass(seconds(1));
    admission.wait();
    CHECK(host.slept >= Admission::kLongest);
    CHECK(host.slept <= Admission::kLongest + seconds(1));
}

TEST_CASE("where the kernel does not tell of pressure there is none") {
    Host host;
    host.percent = 100;
    host.tells = false;
    auto admission = host.admission(true);
    host.pass(seconds(1));
    admission.wait();
    CHECK(host.slept == milliseconds(0));
}

}  // namespace warren::engine
