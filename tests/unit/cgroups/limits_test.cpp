#include "cgroups/limits.hpp"

#include "cgroups/io_none.hpp"
#include "support.hpp"

using namespace warren;
using namespace warren::cgroups;

TEST_CASE("merge replaces what is set and keeps the rest") {
    Limits limits;
    limits.memory_max = Limit::of(100);
    limits.pids_max = Limit::of(10);
    limits.io_max = {{8, 0, Limit::of(1), Limit::of(2), {}, {}}, {8, 16, Limit::of(5), {}, {}, {}}};
    limits.hugetlb = {{"2MB", Limit::of(4)}};
    Limits newer;
    newer.memory_max = Limit::none();
    newer.cpuset = "";
    newer.io_max = {{8, 0, {}, Limit::none(), Limit::of(7), {}}, {9, 0, {}, {}, {}, Limit::of(3)}};
    newer.hugetlb = {{"1GB", Limit::of(8)}, {"2MB", Limit::none()}};
    limits.merge(newer);
    CHECK(limits.memory_max == Limit::none());
    CHECK(limits.pids_max == Limit::of(10));
    CHECK(limits.cpuset == "");
    CHECK(limits.io_max == std::vector<IoMax>{{8, 0, Limit::of(1), Limit::none(), Limit::of(7), {}},
                                              {8, 16, Limit::of(5), {}, {}, {}},
                                              {9, 0, {}, {}, {}, Limit::of(3)}});
    CHECK(limits.hugetlb ==
          std::vector<HugetlbLimit>{{"2MB", Limit::none()}, {"1GB", Limit::of(8)}});
}

TEST_CASE("merge with nothing changes nothing, and nothing merged is a copy") {
    Limits full;
    full.cpu_max_micros = Limit::of(5'000);
    full.cpu_weight = 3;
    full.cpuset = "0-1";
    full.memory_max = Limit::of(1);
    full.memory_high = Limit::of(2);
    full.memory_low = 3;
    full.memory_min = 4;
    full.swap_max = Limit::of(5);
    full.pids_max = Limit::of(6);
    full.io_weight = 7;
    full.io_max = {{1, 2, Limit::of(3), Limit::of(4), Limit::of(5), Limit::of(6)}};
    full.hugetlb = {{"2MB", Limit::of(9)}};
    Limits copy;
    CHECK(copy.empty());
    copy.merge(full);
    CHECK(copy == full);
    CHECK(!copy.empty());
    copy.merge(Limits());
    CHECK(copy == full);
}

TEST_CASE("needed_controllers counts limits, not the lack of them") {
    using List = std::vector<Controller>;
    const auto needed = [](auto set) {
        Limits limits;
        set(limits);
        return needed_controllers(limits);
    };
    CHECK(needed([](Limits&) {}) == List{});
    CHECK(needed([](Limits& l) { l.cpu_max_micros = Limit::of(1'000); }) == List{Controller::Cpu});
    CHECK(needed([](Limits& l) { l.cpu_weight = 100; }) == List{Controller::Cpu});
    CHECK(needed([](Limits& l) { l.cpuset = "0"; }) == List{Controller::Cpuset});
    CHECK(needed([](Limits& l) { l.memory_max = Limit::of(1); }) == List{Controller::Memory});
    CHECK(needed([](Limits& l) { l.memory_high = Limit::of(1); }) == List{Controller::Memory});
    CHECK(needed([](Limits& l) { l.memory_low = 1; }) == List{Controller::Memory});
    CHECK(needed([](Limits& l) { l.memory_min = 1; }) == List{Controller::Memory});
    CHECK(needed([](Limits& l) { l.swap_max = Limit::of(0); }) == List{Controller::Memory});
    CHECK(needed([](Limits& l) { l.pids_max = Limit::of(1); }) == List{Controller::Pids});
    CHECK(needed([](Limits& l) { l.io_weight = 1; }) == List{Controller::Io});
    CHECK(needed([](Limits& l) {
              l.io_max = {{8, 0, {}, {}, {}, Limit::of(1)}};
          }) == List{Controller::Io});
    CHECK(needed([](Limits& l) {
              l.hugetlb = {{"2MB", Limit::of(0)}};
          }) == List{Controller::Hugetlb});
    CHECK(needed([](Limits& l) {
              l.cpu_max_micros = Limit::none();
              l.cpuset = "";
              l.memory_max = Limit::none();
              l.memory_high = Limit::none();
              l.memory_low = 0;
              l.memory_min = 0;
              l.swap_max = Limit::none();
              l.pids_max = Limit::none();
              l.io_max = {{8, 0, Limit::none(), Limit::none(), Limit::none(), Limit::none()}};
              l.hugetlb = {{"2MB", Limit::none()}};
          }) == List{});
    CHECK(needed([](Limits& l) {
              l.cpu_weight = 1;
              l.memory_max = Limit::of(1);
              l.pids_max = Limit::of(1);
          }) == List{Controller::Cpu, Controller::Memory, Controller::Pids});
}

TEST_CASE("io-max none stands for every disk that has a limit") {
    const Limit none = Limit::none();
    Limits before;
    before.io_max = {{8, 0, Limit::of(1), {}, {}, {}}, {8, 16, {}, {}, {}, Limit::of(2)}};

    Limits update;
    update.io_max = {parse_io_max("none").value()};
    expand_io_max_none(update, before);
    CHECK(update.io_max ==
          std::vector<IoMax>{{8, 0, none, none, none, none}, {8, 16, none, none, none, none}});

    // What comes after it holds; what came before it is off too.
    update.io_max = {
        {8, 32, Limit::of(9), {}, {}, {}}, all_io_max_none(), {8, 16, Limit::of(7), {}, {}, {}}};
    expand_io_max_none(update, before);
    CHECK(update.io_max == std::vector<IoMax>{{8, 0, none, none, none, none},
                                              {8, 16, Limit::of(7), none, none, none}});

    update.io_max = {all_io_max_none()};
    expand_io_max_none(update, {});
    CHECK(update.empty());
}
